/** Knows what one page of a streamed source says: content that is news, links seen unchanged, deletions for later. */
import type { Change, ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { linkKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { unreadableKey } from './gather.ts'
import { fetchAll } from './look.ts'
import type { Stream } from './stream.ts'

export type Unreadable = { readonly remoteId: string; readonly key: string; readonly failure: SyncFailure }

export type PageContent = {
  readonly items: ReadonlyArray<Item>
  /** `key`: the identity it is known by, else its place. */
  readonly bad: ReadonlyArray<Unreadable>
  /** Links seen unchanged in a listing: only their generation moves on. */
  readonly marks: ReadonlyArray<readonly [string, Link]>
  /** Ids that were shown with one identity on this page, where they are several. */
  /** Links under a place whose item can be read now. */
  readonly readable: ReadonlyArray<readonly [string, Link]>
  readonly rivals: ReadonlyMap<string, ReadonlyArray<string>>
}

export const readPage = async (stream: Stream, page: ChangePage, coverage: 'listing' | 'delta'): Promise<E.Either<SyncFailure, PageContent>> => {
  const { context, ledger } = stream
  const asked = page.changes.flatMap((change) => idToAsk(change, coverage === 'delta' || stream.parked > 0) ?? [])
  const known = asked.length === 0 ? E.right(new Map<string, Link>()) : await ledger.linksByRemoteA(asked, context.signal)()
  if (E.isLeft(known)) return known
  const linkOfId = byIdA(known.right)
  const items: Array<Item> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const marks: Array<readonly [string, Link]> = []
  const news: Array<string> = []
  for (const change of page.changes) {
    switch (change.is) {
      case 'item': {
        items.push(change.item)
        const { remoteId, key } = change.item
        // It is there again, under whatever id: what was said to be gone is not.
        stream.gone.delete(keyOf(stream, key))
        const before = linkOfId.get(remoteId)
        // Its identity was changed in place: what stands under the old one is gone (T13). A listing shows that by itself.
        if (coverage === 'delta' && before !== undefined && !isPlace(before) && keyOf(stream, before.key) !== keyOf(stream, key)) stream.gone.set(keyOf(stream, before.key), remoteId)
        break
      }
      case 'bad':
        bad.push(change)
        break
      case 'gone': {
        // Only the id we know speaks for the item; a twin that goes away takes nothing with it.
        const link = linkOfId.get(change.remoteId)
        if (link !== undefined) stream.gone.set(keyOf(stream, link.key), change.remoteId)
        // One of several with this identity: the others are asked for, and one that is left takes its place.
        if (link?.twinsA !== undefined) news.push(...link.twinsA.filter((id) => id !== change.remoteId))
        // It may have been shown earlier in this very page.
        else if (change.key !== undefined && items.some(({ remoteId }) => remoteId === change.remoteId)) stream.gone.set(keyOf(stream, change.key), change.remoteId)
        break
      }
      case 'seen': {
        const link = linkOfId.get(change.remoteId)
        const same = link !== undefined && change.version !== null && link.verA === change.version && !isUnsettled(link)
        if (same) marks.push([keyOf(stream, link.key), { ...link, genA: stream.gen }])
        else news.push(change.remoteId)
      }
    }
  }
  const fetched = await fetchAll(context.a, news, context.signal)
  if (E.isLeft(fetched)) return fetched
  for (const { key } of fetched.right.items) stream.gone.delete(keyOf(stream, key))
  // A deletion waits for the end of the stream, and the cursor must not pass it before.
  if (stream.gone.size > 0) stream.frozen = true
  const all = [...items, ...fetched.right.items]
  const ids = new Set(all.map(({ remoteId }) => remoteId))
  const readable = [...known.right].filter(([, link]) => isPlace(link) && ids.has(link.idA ?? ''))
  // One that is linked is parked under its own identity: taken for another item it would look deleted.
  const unreadable = [...bad, ...fetched.right.bad].map(({ remoteId, failure }): Unreadable => ({ remoteId, failure, key: linkOfId.get(remoteId)?.key ?? unreadableKey('source', remoteId) }))
  return E.right({ ...latestByKey(all), bad: unreadable, marks, readable })
}

/** Items are asked for only where their id is not their identity: there it may have moved, or have been unreadable. */
const idToAsk = (change: Change, items: boolean): string | undefined => {
  if (change.is !== 'item') return change.remoteId
  return items && change.item.remoteId !== change.item.key ? change.item.remoteId : undefined
}

const isPlace = ({ key, idA }: Link): boolean => idA !== undefined && key === unreadableKey('source', idA)

const byIdA = (links: ReadonlyMap<string, Link>): ReadonlyMap<string, Link> => {
  const found = new Map<string, Link>()
  for (const link of links.values()) if (link.idA !== undefined && (!isPlace(link) || !found.has(link.idA))) found.set(link.idA, link)
  return found
}

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

export const keyOf = ({ context }: Stream, key: string): string => linkKey(context.connection.id, context.flow.id, key)
