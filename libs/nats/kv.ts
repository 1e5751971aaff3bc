/** Knows a key-value bucket: revisions, markers, TTLs. Does not know what is kept in it. */
import { E, TE, pipe } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import { follow } from './follow.ts'
import type { HeaderRecord } from './headers.ts'
import { checkedKey, entryOf } from './kv-entry.ts'
import type { KvEntry } from './kv-entry.ts'
import { publish, publishUnheard } from './publish.ts'
import type { PublishOptions } from './publish.ts'
import { readLastDirect, readMessage } from './stored-message.ts'
import type { StoredMessage } from './stored-message.ts'
import type { Bus } from './connect.ts'

export type Watch = {
  /** The values there were at the start have all been handed over. */
  readonly ready: Promise<void>
  readonly stop: () => Promise<void>
}

export type WatchOptions = {
  readonly includeHistory?: boolean
  readonly onError?: (failure: NatsFailure) => void
}

export type Bucket = {
  readonly name: string
  /** The subject of a key: for batches, and for fences. */
  readonly subjectOf: (key: string) => string
  /** The last entry, marker or not: its revision is what the next write has to expect. Undefined = 0. */
  readonly get: (key: string) => TE.TaskEither<NatsFailure, KvEntry | undefined>
  readonly put: (key: string, value: Uint8Array) => TE.TaskEither<NatsFailure, number>
  readonly create: (key: string, value: Uint8Array) => TE.TaskEither<NatsFailure, number>
  readonly update: (key: string, value: Uint8Array, revision: number) => TE.TaskEither<NatsFailure, number>
  readonly putWithTtl: (
    key: string,
    value: Uint8Array,
    options: { readonly revision: number; readonly ttlSeconds: number },
  ) => TE.TaskEither<NatsFailure, number>
  readonly delete: (key: string, options?: PurgeOptions) => TE.TaskEither<NatsFailure, number>
  readonly purge: (key: string, options?: PurgeOptions) => TE.TaskEither<NatsFailure, number>
  /**
   * Leaves a marker that ends after the TTL without a trace; the marker of a delete is followed by a note of the server,
   * which lives on for the bucket's marker TTL. Not a purge, so for buckets with history 1: what was there goes by that limit.
   */
  readonly vanish: (key: string, how: VanishOptions) => TE.TaskEither<NatsFailure, number>
  /** The same, sent and not waited for: it may get lost. */
  readonly vanishUnheard: (key: string, how: VanishOptions) => void
  /** Live keys only. */
  readonly keys: (filter?: string) => TE.TaskEither<NatsFailure, ReadonlyArray<string>>
  /** Oldest first. */
  readonly history: (key: string) => TE.TaskEither<NatsFailure, ReadonlyArray<KvEntry>>
  readonly watch: (filter: string, onEntry: (entry: KvEntry) => void, options?: WatchOptions) => Watch
}

export type PurgeOptions = {
  readonly previousSeq?: number
  readonly ttlSeconds?: number
  readonly timeoutMs?: number
}

export type VanishOptions = { readonly previousSeq: number; readonly ttlSeconds: number }

/** Opens without asking the server, so without rights beyond those of what is done with it (NATS.md §12). */
export const openBucket =
  (bus: Bus) =>
  (name: string, options: { readonly direct?: boolean; readonly timeoutMs?: number } = {}): Bucket => {
    if (!/^[-\w]+$/.test(name)) throw new Error(`"${name}" is not a bucket name`)
    const stream = `KV_${name}`
    const prefix = `$KV.${name}.`
    const send = publish(bus)
    const timeoutMs = options.timeoutMs ?? 5_000

    const write = (key: string, value: Uint8Array, how: PublishOptions): TE.TaskEither<NatsFailure, number> =>
      TE.map(({ seq }: { readonly seq: number }) => seq)(send(prefix + checkedKey(key), value, { timeoutMs, ...how }))

    const get: Bucket['get'] = (key) => {
      const subject = prefix + checkedKey(key)
      return async () => {
        const read = options.direct === true ? readLastDirect(bus, stream, subject) : readMessage(bus, stream, { lastBySubject: subject })
        return E.map((found: StoredMessage | undefined) => found && entryOf(found, prefix))(await read)
      }
    }

    const update: Bucket['update'] = (key, value, revision) => write(key, value, expecting(revision))

    const scan = (filter: string, deliver: 'all' | 'last-per-subject', headersOnly: boolean) => () =>
      new Promise<E.Either<NatsFailure, ReadonlyArray<KvEntry>>>((resolve) => {
        const entries: KvEntry[] = []
        const end = (result: E.Either<NatsFailure, ReadonlyArray<KvEntry>>) => {
          clearTimeout(timer)
          void following.stop()
          resolve(result)
        }
        const timer = setTimeout(() => end(E.left({ is: 'timeout', subject: prefix + filter })), 60_000)
        const following = follow(bus, {
          stream,
          filter: prefix + filter,
          deliver,
          headersOnly,
          onMessage: (message) => entries.push(entryOf(message, prefix)),
          onCaughtUp: () => end(E.right(entries)),
          onFailure: (failure) => end(E.left(failure)),
        })
      })

    return {
      name,
      subjectOf: (key) => prefix + checkedKey(key),
      get,
      put: (key, value) => write(key, value, {}),
      create: (key, value) =>
        pipe(
          update(key, value, 0),
          TE.orElse((failure) =>
            failure.is !== 'wrong-sequence'
              ? TE.left(failure)
              : pipe(
                  get(key),
                  // a marker of an earlier life is no reason to refuse
                  TE.chain((entry) => (entry?.value === null ? update(key, value, entry.revision) : TE.left(failure))),
                ),
          ),
        ),
      update,
      putWithTtl: (key, value, { revision, ttlSeconds }) => write(key, value, { ...expecting(revision), ttlSeconds }),
      delete: (key, how = {}) => write(key, nothing, marking(deleted, how)),
      purge: (key, how = {}) => write(key, nothing, marking({ ...purged, 'Nats-Rollup': 'sub' }, how)),
      vanish: (key, how) => write(key, nothing, marking(purged, how)),
      vanishUnheard: (key, how) => publishUnheard(bus)(prefix + checkedKey(key), nothing, marking(purged, how)),
      keys: (filter = '>') =>
        pipe(
          scan(filter, 'last-per-subject', true),
          // a key written while we list comes twice, and its last entry counts
          TE.map((entries) => [...new Map(entries.map((entry) => [entry.key, entry])).values()]),
          TE.map((latest) => latest.filter(({ operation }) => operation === 'put').map(({ key }) => key)),
        ),
      history: (key) => scan(checkedKey(key), 'all', false),
      watch: (filter, onEntry, how = {}) => {
        const onError = how.onError ?? (() => undefined)
        let ready: () => void = () => undefined
        const whenReady = new Promise<void>((resolve) => (ready = resolve))
        const following = follow(bus, {
          stream,
          filter: prefix + filter,
          deliver: how.includeHistory === true ? 'all' : 'last-per-subject',
          onMessage: (message) => onEntry(entryOf(message, prefix)),
          onCaughtUp: ready,
          onFailure: onError,
        })
        return { ready: whenReady, stop: following.stop }
      },
    }
  }

const nothing = new Uint8Array()

const deleted = { 'KV-Operation': 'DEL' }
/** By this header the server takes it for a marker of its own kind (isSubjectDeleteMarker, 2.12.5 and 2.14.4). */
const purged = { 'KV-Operation': 'PURGE' }

const marking = (headers: HeaderRecord, { previousSeq, ttlSeconds }: PurgeOptions): PublishOptions => ({ headers, ...expecting(previousSeq), ...(ttlSeconds === undefined ? {} : { ttlSeconds }) })

const expecting = (revision: number | undefined): PublishOptions =>
  revision === undefined ? {} : { expect: { lastSubjectSequence: revision } }
