/** Knows the links that neither side's reading spoke of: both sides are asked for what they stand for, page by page. */
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import { gather, type Entry } from './gather.ts'
import type { Sighting } from './sighting.ts'
import { counterpartsOf } from './paired-find.ts'
import { isNewsAt } from './paired-news.ts'
import type { PairedRun } from './paired-run.ts'
import { unsureIn } from './spooled-checkpoint.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

/** Rows of both sides are looked up for it, however wide they are. */
const pageSize = 1_000

/** `doubted`: a listing should have spoken of these, and perhaps did not. */
export type Rest = { readonly entries: ReadonlyArray<Entry>; readonly doubted: ReadonlyArray<Entry>; readonly waits: boolean }

/** `isDone`: links of this very run. */
export const restOf = async (run: PairedRun, isDone: (link: Link) => boolean, settle: (rest: Rest) => Done<void>): Done<void> => {
  const { context, beside, ledger, coverage } = run
  for (let after = ''; ;) {
    if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
    context.step('reading')
    const page = await beside.all(after, pageSize, context.signal)()
    if (E.isLeft(page)) return E.left({ ...page.left, side: 'destination' })
    const lastKey = page.right.at(-1)?.[0]
    if (lastKey === undefined) return E.right(undefined)
    after = lastKey
    const open = page.right.filter(([, link]) => !isDone(link))
    const loaded = await ledger.load(open.map(([key]) => key))
    if (E.isLeft(loaded)) return loaded
    const links = new Map(open.flatMap(([key]) => {
      const link = ledger.links.get(key)
      return link === undefined ? [] : [[key, link] as const]
    }))
    const a = await sighting(run, 'source', links)
    if (E.isLeft(a)) return a
    const b = await sighting(run, 'destination', links)
    if (E.isLeft(b)) return b
    const shows = (side: Sighting): ReadonlySet<string> => new Set(side.items.map(({ key }) => key.normalize('NFC')))
    const [shownA, shownB] = [shows(a.right), shows(b.right)]
    const isListed = (entry: Entry): boolean =>
      (coverage.source === 'listing' && (shownA.has(entry.key) || entry.a.is === 'bad')) || (coverage.destination === 'listing' && (shownB.has(entry.key) || entry.b.is === 'bad'))
    const isOfDelta = (entry: Entry): boolean =>
      (coverage.source === 'delta' && isNewsAt(entry, 'source')) || (coverage.destination === 'delta' && isNewsAt(entry, 'destination'))
    const all = gather(ledger.keyOf, links, a.right, b.right).filter((entry) => !isOfDelta(entry))
    const doubted = all.filter(isListed)
    const entries = all.filter((entry) => !isListed(entry))
    const waits = unsureIn(links, { ...a.right, coverage: coverage.source }, 'source') || unsureIn(links, { ...b.right, coverage: coverage.destination }, 'destination')
    const settled = await settle({ entries, doubted, waits })
    if (E.isLeft(settled)) return settled
  }
}

const sighting = async ({ context, unsureAfter }: PairedRun, side: SideName, links: ReadonlyMap<string, Link>): Done<Sighting> => {
  const found = await counterpartsOf(side === 'source' ? context.a : context.b, side, [...links.values()].map(({ key }) => key), links.values(), context.signal)
  return E.isLeft(found) ? E.left({ ...found.left, side }) : E.right({ coverage: 'listing', same: new Set(), gone: [], ...found.right, unsureAfter })
}
