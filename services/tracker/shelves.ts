/** Knows how the tracker's values lie in key-value buckets. Does not know whose buckets: start.ts hands them in. */
import { decode, encode } from '#libs/contracts/decode.ts'
import type { Contract } from '#libs/contracts/decode.ts'
import { HistoryEntry } from '#libs/contracts/status.ts'
import { E, TE, pipe } from '#libs/fp.ts'
import type { HistoryShelf, Kept, Shelf, Stored, Trouble } from './ports.ts'

type Entry = { readonly key: string; readonly revision: number; readonly value: Uint8Array | null }

/** As far as the tracker uses a bucket. Reads must be the leader's: what is read is written back. */
export type Bucket = {
  readonly get: (key: string) => TE.TaskEither<Trouble, Entry | undefined>
  /** Left `lost-race` when the key's last revision is another one. */
  readonly update: (key: string, value: Uint8Array, revision: number) => TE.TaskEither<Trouble, number>
  /** All live values, each once. */
  readonly scan: (visit: (entry: Entry) => void) => TE.TaskEither<Trouble, void>
}

export type HistoryBucket = Pick<Bucket, 'get' | 'update'> & {
  readonly history: (key: string) => TE.TaskEither<Trouble, ReadonlyArray<Entry>>
  readonly keys: TE.TaskEither<Trouble, ReadonlyArray<string>>
  /** One write that takes the place of all revisions. */
  readonly replace: (key: string, value: Uint8Array, revision: number) => TE.TaskEither<Trouble, void>
  readonly purge: (key: string, revision: number) => TE.TaskEither<Trouble, void>
  /** First and last sequence of the stream below the bucket. */
  readonly bounds: TE.TaskEither<Trouble, { readonly first: number; readonly last: number }>
  readonly from: (seq: number, limit: number) => TE.TaskEither<Trouble, ReadonlyArray<Stored>>
}

/** Told of every value that cannot be decoded; such a value counts as none, and the next write mends it. */
export type OnUnreadable = (key: string, codec: string, report: ReadonlyArray<string>) => void

const reader = <A>(contract: Contract<A>, onUnreadable: OnUnreadable) => (key: string, bytes: Uint8Array | null | undefined): A | undefined => {
  if (bytes === null || bytes === undefined) return undefined
  const value = decode(contract, bytes)
  if (value._tag === 'Right') return value.right
  onUnreadable(key, value.left.codec, value.left.report)
  return undefined
}

export const shelfIn = <A>(bucket: Bucket, contract: Contract<A>, onUnreadable: OnUnreadable): Shelf<A> => {
  const read = reader(contract, onUnreadable)
  return {
    read: (conn) => pipe(bucket.get(conn), TE.map((entry): Kept<A> => ({ value: read(conn, entry?.value), revision: entry?.revision ?? 0 }))),
    write: (conn, value, revision) => bucket.update(conn, encode(contract, value), revision),
    each: (visit) => bucket.scan((entry) => {
      const value = read(entry.key, entry.value)
      if (value !== undefined) visit(value)
    }),
  }
}

/** Read beyond the limit, because the last entries stored are not quite the last runs ended. */
const slack = 50
/** Looked through at most, one by one, for the newest entries of all connections. */
const farthestBack = 50_000

export const historyIn = (bucket: HistoryBucket, onUnreadable: OnUnreadable): HistoryShelf => {
  const read = reader(HistoryEntry, onUnreadable)
  const readAll = (values: ReadonlyArray<{ readonly key: string; readonly value: Uint8Array | null }>): ReadonlyArray<HistoryEntry> =>
    values.flatMap(({ key, value }) => read(key, value) ?? [])

  const newest = (limit: number) => async (): Promise<E.Either<Trouble, ReadonlyArray<HistoryEntry>>> => {
    const bounds = await bucket.bounds()
    if (bounds._tag === 'Left') return bounds
    const { first, last } = bounds.right
    // Every entry has the bucket's next sequence, but some were deleted since: look farther back until there are enough
    for (let back = limit + slack; ; back *= 4) {
      const start = Math.max(first, last - back + 1)
      const stored = await bucket.from(start, back)()
      if (stored._tag === 'Left') return stored
      const entries = readAll(stored.right.map(({ subject, headers, body }) => ({ key: subject, value: headers['KV-Operation'] === undefined && body.length > 0 ? body : null })))
      if (entries.length >= limit || start <= first || back >= farthestBack) return E.right(entries)
    }
  }

  return {
    latest: (conn) => pipe(bucket.get(conn), TE.map((entry) => ({ value: read(conn, entry?.value), revision: entry?.revision ?? 0 }))),
    append: (conn, entry, revision) => bucket.update(conn, encode(HistoryEntry, entry), revision),
    all: (conn) => pipe(bucket.history(conn), TE.map(readAll)),
    newest,
    keepOnly: (conn, entry, revision) => bucket.replace(conn, encode(HistoryEntry, entry), revision),
    removeAll: bucket.purge,
    connections: bucket.keys,
  }
}
