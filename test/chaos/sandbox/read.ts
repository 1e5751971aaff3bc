/** Knows how the sandbox connector reads: pages of a listing or a delta, single items, items by key. */
import * as t from 'io-ts'
import type { Change, ChangePage, ReadAsk, Reader } from '#libs/connectors/connector.ts'
import { unavailable, type SyncFailure } from '#libs/domain/failure.ts'
import type { Fields, Item } from '#libs/domain/record.ts'
import { E, type TE } from '#libs/fp.ts'
import { failed, unreadable, type Caller } from './call.ts'

const Wire = t.intersection([
  t.type({ id: t.string, key: t.string }),
  t.partial({ etag: t.string, deleted: t.boolean, fields: t.unknown }),
])
type Wire = t.TypeOf<typeof Wire>
const WirePage = t.intersection([t.type({ items: t.array(Wire) }), t.partial({ nextPageToken: t.string, nextSyncToken: t.string })])

export type Habits = { readonly caller: Caller; readonly items: string; readonly delta: boolean; readonly pageSize: number }

const cutOff: SyncFailure = unavailable('the sandbox answered with something that is no page of items', { code: 'unreadable' })

/** The first page is asked for at once: only it tells whether the token is still good. */
export const readPages = ({ caller, items, delta, pageSize }: Habits, ask: ReadAsk): TE.TaskEither<SyncFailure, Reader> => async () => {
  const cursor = delta ? ask.cursor : null
  const limit = Math.min(pageSize, ask.limit)
  const page = async (token: string | null): Promise<E.Either<SyncFailure, t.TypeOf<typeof WirePage>>> => {
    const answer = await caller({ method: 'GET', url: `${items}?limit=${limit}${token === null ? '' : `&token=${encodeURIComponent(token)}`}`, subject: 'list' }, ask.signal)()
    if (E.isLeft(answer)) return E.left(failed(answer.left))
    const decoded = WirePage.decode(answer.right.body)
    // Without either token nobody knows whether that was all: never a complete listing (SYNC.md §C, incomplete listing).
    if (E.isLeft(decoded) || (decoded.right.nextPageToken === undefined) === (decoded.right.nextSyncToken === undefined)) return E.left(cutOff)
    return decoded
  }
  const first = await page(cursor)
  if (E.isLeft(first)) return first
  let ahead: t.TypeOf<typeof WirePage> | undefined = first.right
  let token: string | null = null
  return E.right({
    coverage: cursor === null ? 'listing' : 'delta',
    next: async (): Promise<E.Either<SyncFailure, ChangePage>> => {
      if (ask.signal.aborted) return E.left({ is: 'stopping', message: 'ended while it was read' })
      const read: E.Either<SyncFailure, t.TypeOf<typeof WirePage>> = ahead !== undefined ? E.right(ahead) : await page(token)
      ahead = undefined
      if (E.isLeft(read)) return read
      token = read.right.nextPageToken ?? null
      return E.right({ changes: read.right.items.map(changeOf), last: token === null, resume: token === null && delta ? (read.right.nextSyncToken ?? null) : null })
    },
    close: () => Promise.resolve(),
  })
}

/** How many requests are under way at once. */
const atOnce = 8

export const fetchItems = ({ caller, items }: Habits, ids: ReadonlyArray<string>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<Change>> => async () => {
  const found: Array<Change> = []
  for (let from = 0; from < ids.length; from += atOnce) {
    const answers = await Promise.all(ids.slice(from, from + atOnce).map((id) => caller({ method: 'GET', url: `${items}/${encodeURIComponent(id)}`, subject: 'item', item: id }, signal)()))
    for (const answer of answers) {
      if (E.isRight(answer)) {
        const item = Wire.decode(answer.right.body)
        if (E.isLeft(item)) return E.left(cutOff)
        found.push(changeOf(item.right))
      } else if (answer.left.treatment.action !== 'gone') return E.left(failed(answer.left))
    }
  }
  return E.right(found)
}

/** Keys go into the address, a few at a time. */
const keysAtOnce = 20

export const findItems = ({ caller, items }: Habits, keys: ReadonlyArray<string>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<Item>> => async () => {
  const found: Array<Item> = []
  for (let from = 0; from < keys.length; from += keysAtOnce) {
    const query = keys.slice(from, from + keysAtOnce).map((key) => `key=${encodeURIComponent(key)}`).join('&')
    const answer = await caller({ method: 'GET', url: `${items}?${query}`, subject: 'list' }, signal)()
    if (E.isLeft(answer)) return E.left(failed(answer.left))
    const page = t.type({ items: t.array(Wire) }).decode(answer.right.body)
    if (E.isLeft(page)) return E.left(cutOff)
    for (const change of page.right.items.map(changeOf)) if (change.is === 'item') found.push(change.item)
  }
  return E.right(found)
}

const changeOf = ({ id, key, etag, deleted, fields }: Wire): Change => {
  if (deleted === true) return { is: 'gone', remoteId: id, key }
  if (typeof fields !== 'object' || fields === null) return { is: 'bad', remoteId: id, version: etag ?? null, failure: unreadable(id) }
  return { is: 'item', item: { remoteId: id, key, version: etag ?? null, fields: fields as Fields } }
}
