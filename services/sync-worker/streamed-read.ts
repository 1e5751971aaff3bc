/** Knows what one page of a streamed source says: content that is news, links seen unchanged, deletions for later. */
import type { Change, ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { linkKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { fetchAll } from './look.ts'
import type { Stream } from './stream.ts'

export type PageContent = {
  readonly items: ReadonlyArray<Item>
  readonly bad: ReadonlyArray<Extract<Change, { is: 'bad' }>>
  /** Links seen unchanged in a listing: only their generation moves on. */
  readonly marks: ReadonlyArray<readonly [string, Link]>
}

export const readPage = async (stream: Stream, page: ChangePage): Promise<E.Either<SyncFailure, PageContent>> => {
  const { context, ledger } = stream
  const items: Array<Item> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const seen: Array<Extract<Change, { is: 'seen' }>> = []
  const goneIds: Array<string> = []
  for (const change of page.changes) {
    if (change.is === 'item') items.push(change.item)
    else if (change.is === 'bad') bad.push(change)
    else if (change.is === 'seen') seen.push(change)
    else if (change.key !== undefined) stream.gone.push(linkKey(context.connection.id, context.flow.id, change.key))
    else goneIds.push(change.remoteId)
  }
  const ids = [...goneIds, ...seen.map(({ remoteId }) => remoteId)]
  const known = ids.length === 0 ? E.right(new Map<string, Link>()) : await ledger.linksByRemoteA(ids, context.signal)()
  if (E.isLeft(known)) return known
  for (const id of goneIds) {
    const link = known.right.get(id)
    if (link !== undefined) stream.gone.push(keyOf(stream, link.key))
  }
  // A deletion waits for the end of the stream, and the cursor must not pass it before.
  if (stream.gone.length > 0) stream.frozen = true
  const marks: Array<readonly [string, Link]> = []
  const news: Array<string> = []
  for (const { remoteId, version } of seen) {
    const link = known.right.get(remoteId)
    if (link !== undefined && version !== null && link.verA === version) marks.push([keyOf(stream, link.key), { ...link, genA: stream.gen }])
    else news.push(remoteId)
  }
  const fetched = await fetchAll(context.a, news, context.signal)
  if (E.isLeft(fetched)) return fetched
  return E.right({ items: latestByKey([...items, ...fetched.right.items]), bad: [...bad, ...fetched.right.bad], marks })
}

/** A source of records may say one key twice in a page: the later one stands. */
const latestByKey = (items: ReadonlyArray<Item>): ReadonlyArray<Item> => {
  const latest = new Map<string, Item>()
  for (const item of items) latest.set(item.key, item)
  return latest.size === items.length ? items : [...latest.values()]
}

export const keyOf = ({ context }: Stream, key: string): string => linkKey(context.connection.id, context.flow.id, key)
