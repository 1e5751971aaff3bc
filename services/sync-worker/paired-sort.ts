/** Knows what one page of a paired flow says: content of what is news, and the links of all that it mentions. */
import type { Change } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { rememberedOf, type SideName } from './classify.ts'
import { identity, unreadableKey } from './sighting.ts'
import { fetchAll } from './look.ts'
import { hasSpellings } from './paired-find.ts'
import type { PairedRun } from './paired-run.ts'

type Gone = { readonly remoteId: string; readonly key?: string }
export type Sorted = { readonly items: Array<Item>; readonly gone: Array<Gone>; readonly bad: Array<Extract<Change, { is: 'bad' }>>; readonly same: Set<string> }

/** The version says "look" (SYNC.md §0 rule 4). */
export const isAsKnown = (link: Link, side: SideName, { remoteId, version }: Shown): boolean => {
  const known = rememberedOf(link, side)
  return version !== null && known.version === version && known.id === remoteId && !isUnsettled(link)
}
type Shown = { readonly remoteId: string; readonly version: string | null }

/** Shows what its link says, and cannot share its identity with another. */
export const isPassable = (link: Link, side: SideName, shown: Shown): boolean => !hasSpellings(link.key) && isAsKnown(link, side, shown)

/** Content of what is news, and the links of all that is mentioned, put into `links`. */
export const sortOut = async (run: PairedRun, side: SideName, changes: ReadonlyArray<Change>, links: Map<string, Link>): Promise<E.Either<SyncFailure, Sorted>> => {
  const { context, ledger } = run
  const sorted: Sorted = { items: [], gone: [], bad: [], same: new Set() }
  const seen: Array<Extract<Change, { is: 'seen' }>> = []
  for (const change of changes) {
    if (change.is === 'item') sorted.items.push(change.item)
    else if (change.is === 'gone') sorted.gone.push(change)
    else if (change.is === 'bad') sorted.bad.push(change)
    else seen.push(change)
  }
  const add = (keys: ReadonlyArray<string>, isWanted: (link: Link) => boolean = () => true): void => {
    for (const key of keys) {
      const at = ledger.keyOf(key)
      const link = ledger.links.get(at)
      if (link !== undefined && isWanted(link)) links.set(at, link)
    }
  }
  // Rows are known by their key. Where the id is another text, what is only mentioned by it is read.
  const ids = [...seen, ...sorted.bad, ...sorted.gone].map(({ remoteId }) => remoteId)
  const keys = [...sorted.items.map(({ key }) => key), ...sorted.gone.flatMap(({ key }) => key ?? [])]
  // Some links stand for places only where something was set aside.
  const hasAside = run.parkedBefore > 0 || context.counts.parked > 0
  const placesOf = (some: ReadonlyArray<{ readonly remoteId: string }>): ReadonlyArray<string> => (hasAside ? some.map(({ remoteId }) => unreadableKey(side, remoteId)) : [])
  const places = placesOf([...sorted.items, ...sorted.bad, ...sorted.gone])
  const loaded = await ledger.load([...ids, ...keys, ...places].map(ledger.keyOf))
  if (E.isLeft(loaded)) return loaded
  const byId = new Set(ids)
  add(ids, (link) => byId.has(rememberedOf(link, side).id ?? ''))
  for (const shown of seen) {
    const link = links.get(ledger.keyOf(shown.remoteId))
    if (link !== undefined && isAsKnown(link, side, shown)) sorted.same.add(shown.remoteId)
  }
  const news = seen.filter(({ remoteId }) => !sorted.same.has(remoteId))
  const fetched = await fetchAll(side === 'source' ? context.a : context.b, news.map(({ remoteId }) => remoteId), context.signal)
  if (E.isLeft(fetched)) return E.left({ ...fetched.left, side })
  sorted.items.push(...fetched.right.items)
  sorted.bad.push(...fetched.right.bad)
  const more = await ledger.load([...fetched.right.items.map(({ key }) => key), ...placesOf(news)].map(ledger.keyOf))
  if (E.isLeft(more)) return more
  // What was taken away between the reading and the fetch is not shown any more.
  if (news.length > 0) {
    const shown = new Set(sorted.items.map(({ key }) => identity(key)))
    const mentioned = new Set([...sorted.same, ...sorted.bad.map(({ remoteId }) => remoteId), ...sorted.gone.map(({ remoteId }) => remoteId)])
    for (const [key, link] of links) if (!shown.has(identity(link.key)) && !mentioned.has(rememberedOf(link, side).id ?? '')) links.delete(key)
  }
  add([...keys, ...fetched.right.items.map(({ key }) => key), ...places, ...placesOf(news)])
  const nameless = sorted.gone.find(({ remoteId, key }) => key === undefined && !links.has(ledger.keyOf(remoteId)))
  return nameless === undefined ? E.right(sorted) : E.left({
    is: 'needs-person', side, message: `more deletions than can be held in memory, and the ${side} does not tell of what (${nameless.remoteId})`, mend: 'compare both sides whole once: `syncline sync <connection> --full`',
  })
}
