/** Knows what one page of a streamed source says: content that is news, links seen unchanged, deletions for later. */
import type { Change, ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { ledgerKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { unreadableKey } from './sighting.ts'
import { fetchAll } from './look.ts'
import type { Stream } from './stream.ts'

export type Unreadable = { readonly remoteId: string; readonly key: string; readonly failure: SyncFailure }

export type PageContent = {
  readonly items: ReadonlyArray<Item>
  /** `key`: the identity it is known by, else its place. */
  readonly bad: ReadonlyArray<Unreadable>
  /** Links seen unchanged in a listing: only their generation moves on. */
  readonly marks: ReadonlyArray<readonly [string, Link]>
  /** Links under a place whose item can be read now. */
  readonly readable: ReadonlyArray<readonly [string, Link]>
  /** Ids that were shown with one identity on this page, where they are several. */
  readonly rivals: ReadonlyMap<string, ReadonlyArray<string>>
}

export const readPage = async (stream: Stream, page: ChangePage, coverage: 'listing' | 'delta'): Promise<E.Either<SyncFailure, PageContent>> => {
  const { context, ledger } = stream
  const asked: Array<string> = []
  for (const change of page.changes) {
    const id = idToAsk(change, coverage === 'delta' || stream.parked > 0)
    if (id !== undefined) asked.push(id)
  }
  const known = asked.length === 0 ? E.right(new Map<string, Link>()) : await ledger.linksByRemoteA(asked, context.signal)()
  if (E.isLeft(known)) return known
  const linksOfId = byIdA(known.right)
  // A twin is not the id that a link is found by: where the side tells its identity, that leads to the others.
  const goneKeys = stream.parked === 0 ? [] : page.changes.flatMap((change) => (change.is === 'gone' && change.key !== undefined ? [ledgerKey(change.key)] : []))
  const shared = goneKeys.length === 0 ? E.right(new Map<string, Link>()) : await ledger.links(goneKeys, context.signal)()
  if (E.isLeft(shared)) return shared
  const items: Array<Item> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const marks: Array<readonly [string, Link]> = []
  const news: Array<string> = []
  const twinOf = new Map<string, string>()
  /** One of several with this identity went away: the others are asked for, and one that is left takes its place. */
  const askTwins = (link: Pick<Link, 'key' | 'twinsA'>, gone: string): void => {
    for (const id of link.twinsA ?? []) {
      if (id === gone) continue
      news.push(id)
      twinOf.set(id, link.key)
    }
  }
  for (const change of page.changes) {
    switch (change.is) {
      case 'item': {
        items.push(change.item)
        const { remoteId, key } = change.item
        // It is there again, under whatever id: what was said to be gone is not.
        stream.gone.delete(ledgerKey(key))
        // Its identity was changed in place: what stands under the old one is gone (T13). A listing shows that by itself. Where a
        // run ended between the two, the new one is linked already.
        for (const before of coverage === 'delta' ? linksOfId(remoteId) : none) {
          if (isPlace(before) || ledgerKey(before.key) === ledgerKey(key)) continue
          stream.gone.set(ledgerKey(before.key), remoteId)
          askTwins(before, remoteId)
        }
        break
      }
      case 'bad':
        bad.push(change)
        break
      case 'gone': {
        // Only the id we know speaks for the item; a twin that goes away takes nothing with it.
        const links = linksOfId(change.remoteId)
        for (const link of links) stream.gone.set(ledgerKey(link.key), change.remoteId)
        // One that could not be read stands under its place as well.
        const ours = [...links, shared.right.get(ledgerKey(change.key ?? ''))].find((link) => link?.twinsA !== undefined)
        if (ours !== undefined) askTwins(ours, change.remoteId)
        // It may have been shown earlier in this very page.
        else if (change.key !== undefined && items.some(({ remoteId }) => remoteId === change.remoteId)) stream.gone.set(ledgerKey(change.key), change.remoteId)
        break
      }
      case 'seen': {
        const link = linksOfId(change.remoteId).find(({ verA }) => change.version !== null && verA === change.version)
        if (link !== undefined && !isUnsettled(link)) marks.push([ledgerKey(link.key), { ...link, genA: stream.gen }])
        else news.push(change.remoteId)
      }
    }
  }
  const fetched = await fetchAll(context.a, [...new Set(news)], context.signal)
  if (E.isLeft(fetched)) return fetched
  for (const { key } of fetched.right.items) stream.gone.delete(ledgerKey(key))
  for (const { remoteId } of fetched.right.bad) stream.gone.delete(ledgerKey(twinOf.get(remoteId) ?? ''))
  // A deletion waits for the end of the stream, and the cursor must not pass it before.
  if (stream.gone.size > 0) stream.frozen = true
  const all = [...items, ...fetched.right.items]
  const ids = new Set(all.map(({ remoteId }) => remoteId))
  const readable = [...known.right].filter(([, link]) => isPlace(link) && ids.has(link.idA ?? ''))
  // One that is linked is parked under its own identity: taken for another item it would look deleted.
  const unreadable = [...bad, ...fetched.right.bad].map(({ remoteId, failure }): Unreadable => ({ remoteId, failure, key: linksOfId(remoteId)[0]?.key ?? twinOf.get(remoteId) ?? unreadableKey('source', remoteId) }))
  return E.right({ ...latestByKey(all), bad: unreadable, marks, readable })
}

/** Items are asked for only where their id is not their identity: there it may have moved, or have been unreadable. */
const idToAsk = (change: Change, items: boolean): string | undefined => {
  if (change.is !== 'item') return change.remoteId
  return items && change.item.remoteId !== change.item.key ? change.item.remoteId : undefined
}

const isPlace = ({ key, idA }: Link): boolean => idA !== undefined && key === unreadableKey('source', idA)

/** What stands for a place comes last. */
const byIdA = (links: ReadonlyMap<string, Link>): ((remoteId: string) => ReadonlyArray<Link>) => {
  const found = new Map<string, Array<Link>>()
  const all = [...links.values()]
  for (const link of [...all.filter((one) => !isPlace(one)), ...all.filter(isPlace)]) if (link.idA !== undefined) found.set(link.idA, [...(found.get(link.idA) ?? []), link])
  return (remoteId) => found.get(remoteId) ?? none
}

const none: ReadonlyArray<Link> = []

/** A source of records may say one key twice in a page: the later one stands. Several ids with one key are told. */
const latestByKey = (items: ReadonlyArray<Item>): Pick<PageContent, 'items' | 'rivals'> => {
  const latest = new Map<string, Item>()
  const rivals = new Map<string, Array<string>>()
  for (const item of items) {
    const before = latest.get(item.key)
    if (before !== undefined && before.remoteId !== item.remoteId) rivals.set(item.key, [...(rivals.get(item.key) ?? [before.remoteId]), item.remoteId])
    latest.set(item.key, item)
  }
  return { items: latest.size === items.length ? items : [...latest.values()], rivals }
}
