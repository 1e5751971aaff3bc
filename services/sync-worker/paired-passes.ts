/**
 * Knows the three passes through two sides: what the source's reading speaks of, what only the destination's does, and the
 * links that neither spoke of. Each page is settled before the next, and then forgotten: memory is bound by a page. Every
 * item is decided in one of them, whether they only count or write.
 */
import type { Reader } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { carryOut } from './carry-out.ts'
import type { SideName } from './classify.ts'
import { planAll } from './decide.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { addTo, isBeyond } from './paired-count.ts'
import { pastEchoes } from './paired-echoes.ts'
import { glance, type Glance } from './paired-glance.ts'
import { isNewsAt } from './paired-news.ts'
import { eachPage, openReader } from './paired-pages.ts'
import { restOf } from './paired-rest.ts'
import { isListing, type PairedRun, type Passes } from './paired-run.ts'
import { isPassable } from './paired-sort.ts'
import { mayGoLater } from './spooled-checkpoint.ts'
import { alongWays } from './spread.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

type Readers = { readonly source: Reader; readonly destination: Reader }
export type Ends = { readonly a: { readonly cursor: string | null }; readonly b: { readonly cursor: string | null } }

/**
 * Both readings begin before the first write, so that each cursor is from before it: what somebody does at a side meanwhile
 * is in its next delta, and so is what we write there, which shows what its link says then (SYNC.md §A.5, echo).
 */
export const goThrough = async (run: PairedRun, passes: Passes): Done<Ends> => {
  const a = await openReader(run.context, 'source', run.from.source)
  if (E.isLeft(a)) return a
  try {
    const b = await openReader(run.context, 'destination', run.from.destination)
    if (E.isLeft(b)) return b
    try {
      return await passBoth(run, passes, { source: a.right, destination: b.right })
    } finally {
      await b.right.close()
    }
  } finally {
    await a.right.close()
  }
}

const passBoth = async (run: PairedRun, passes: Passes, readers: Readers): Done<Ends> => {
  const a = await passThrough(run, passes, 'source', readers.source)
  if (E.isLeft(a)) return a
  const b = await passThrough(run, passes, 'destination', readers.destination)
  if (E.isLeft(b)) return b
  const isEveryLinkMet = run.coverage.source === 'listing' && run.coverage.destination === 'listing' && passes.linksMet >= run.linksBefore
  if (isListing(run) && run.linksBefore > 0 && !isEveryLinkMet) {
    const rest = await restOf(run, (link) => isOfThisRun(run, passes, link), ({ entries, doubted, waits }) => {
      if (passes.isCounting) return settle(run, passes, entries, waits)
      const again = new Set(doubted)
      return settle(run, passes, [...entries, ...doubted], waits, ({ entry, move }) => !again.has(entry) || move.do !== 'nothing')
    })
    if (E.isLeft(rest)) return rest
  }
  if (passes.isCounting || passes.unsettled !== undefined || passes.warnings.length > 0) return E.right({ a: a.right, b: b.right })
  const pastA = await pastEchoes(run, 'source', a.right.cursor)
  const pastB = await pastEchoes(run, 'destination', b.right.cursor)
  return E.right({ a: { cursor: pastA }, b: { cursor: pastB } })
}

const passThrough = async (run: PairedRun, passes: Passes, side: SideName, reader: Reader): Done<{ readonly cursor: string | null }> => {
  const { coverage } = reader
  if (coverage !== run.coverage[side]) return E.left({ is: 'unavailable', side, message: `the ${side} was told as a ${run.coverage[side]} a moment ago, and is told as a ${coverage} now` })
  const moved = new Set<string>()
  const through = await eachPage(run.context, side, reader, async ({ changes }) => {
    const seen = await glance(run, { side, changes, moved, isSettled: (link) => isSettledThere(run, passes, side, link) })
    if (E.isLeft(seen)) return seen
    const { passedBy, read } = seen.right
    if (!passes.isCounting) run.context.counts.unchanged += side === 'source' || run.coverage.source === 'delta' ? passedBy : 0
    if (side === 'source') passes.linksMet += passedBy
    if (passes.isCounting || passes.allowed === undefined) run.context.counts.read += read
    const open = seen.right.entries.filter((entry) => !wasDecided(run, passes, side, entry))
    const owned = open.filter((entry) => isSources(run, entry, side, seen.right) === (side === 'source'))
    const once = owned.filter((entry) => !seen.right.elsewhere.has(entry))
    passes.linksMet += once.filter(({ link }) => link !== undefined).length
    if (passes.isCounting || side === 'source') return settle(run, passes, passes.isCounting ? once : owned, seen.right.waits)
    // What the source's reading should have spoken of, and perhaps did not: looked at once more, as nothing else may ever do.
    const doubted = new Set(open.filter((entry) => isSources(run, entry, side, seen.right)))
    return settle(run, passes, open, seen.right.waits, ({ entry, move }) => !doubted.has(entry) || move.do !== 'nothing')
  })
  if (E.isRight(through)) passes.isEmpty[side] = coverage === 'listing' && through.right.isEmpty
  return through
}

/** A row that shows what its link says, and whose counterpart somebody has looked at, or will. */
const isSettledThere = (run: PairedRun, passes: Passes, side: SideName, link: Link): boolean =>
  side === 'source' ? run.coverage.destination === 'delta' : run.coverage.source === 'delta' || isOfThisRun(run, passes, link)

const isOfThisRun = ({ gen }: PairedRun, { isCounting }: Passes, { genA }: Link): boolean => !isCounting && genA === gen

/** Settled with an earlier page. A listing may show an identity twice: of two records with one id the later stands (T15), of two ids neither (T14). */
const wasDecided = (run: PairedRun, passes: Passes, side: SideName, { a, link }: Entry): boolean =>
  link !== undefined && isOfThisRun(run, passes, link) && (side === 'destination' || isUnsettled(link) || a.is === 'unchanged')

/** Whether an item is the source's reading to speak of, as seen with a page of this side. */
const isSources = ({ coverage }: PairedRun, entry: Entry, side: SideName, { shownThere }: Glance): boolean => {
  // Of a delta what is no news is left to the destination, which may have some.
  if (coverage.source === 'delta') return side === 'source' ? isNewsAt(entry, 'source') || !isNewsAt(entry, 'destination') : isNewsAt(entry, 'source')
  return side === 'source' || (shownThere.has(entry.key) && !(coverage.destination === 'delta' && wasPassedBy(entry)))
}

/** In the source's listing it showed what its link says, so that its counterpart was not looked at. */
const wasPassedBy = ({ a, link }: Entry): boolean => link !== undefined && a.is === 'unchanged' && a.item !== undefined && isPassable(link, 'source', a.item)

/** `isMeant`: leaves out moves that an earlier page made already. */
const settle = async (run: PairedRun, passes: Passes, entries: ReadonlyArray<Entry>, waits: boolean, isMeant: (one: Planned) => boolean = () => true): Done<void> => {
  const { context, ledger, policy } = run
  context.step('planning')
  const all = await alongWays(context, planAll(context, entries, policy), false)
  if (E.isLeft(all)) return all
  const planned = all.right.filter(isMeant)
  passes.waits ||= waits || (!policy.deletesAllowed && planned.some(mayGoLater))
  if (passes.isCounting) {
    addTo(passes.counted, planned)
    ledger.letGo()
    return E.right(undefined)
  }
  if (passes.allowed !== undefined && isBeyond(passes.counted.totals, planned, passes.allowed.totals)) {
    return E.left({ is: 'unavailable', message: 'much more would be deleted now than when it was counted, a moment ago: both sides are looked at anew' })
  }
  if (passes.allowed !== undefined) addTo(passes.counted, planned)
  const carried = await carryOut(context, ledger, planned, policy, { before: passes.checkpoint, next: run.between })
  if (E.isLeft(carried)) return carried
  const { checkpoint, unsettled, warnings } = carried.right
  passes.checkpoint = checkpoint
  passes.unsettled ??= unsettled
  passes.warnings.push(...warnings)
  if (unsettled === undefined && warnings.length === 0) await context.spread?.forget(planned.filter(isOver).map(({ entry }) => entry.key))
  ledger.letGo()
  return E.right(undefined)
}

const isOver = ({ move }: Planned): boolean => move.do === 'delete' || move.do === 'forget'
