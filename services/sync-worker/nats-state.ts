/** Knows how `sync_state` is read and written on NATS: which subject, which condition, which answer means what. */
import { CheckpointEntry, LeaseEntry, LedgerPage } from '#libs/contracts/state.ts'
import { encode } from '#libs/contracts/decode.ts'
import { buckets, stateKeys } from '#libs/contracts/subjects.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import { publishBatch, type BatchMessage } from '#libs/nats/batch.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket, type VanishOptions } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import { publish } from '#libs/nats/publish.ts'
import type { Checkpoints } from './nats-checkpoints.ts'
import { decoded, storeFailure } from './nats-stored.ts'
import type { LeaseSeen, StateBatch, StateStore, StoreFailure, Stored } from './ports.ts'

/** `checkpoints`: how they are read, where that can be done for less (nats-checkpoints.ts). */
export const natsState = (bus: Bus, now: () => number, checkpoints?: Pick<Checkpoints, 'read' | 'isSole'>): StateStore => {
  const bucket = openBucket(bus)(buckets.state)
  const send = publish(bus)
  const sendBatch = publishBatch(bus)
  const keyed = (key: string): string => bucket.subjectOf(key)
  const readCheckpointEntry = checkpoints?.read ?? bucket.get

  // Not a purge: that is forgotten when the server is killed, and the released lease stands again (2.12.5). Nor a delete,
  // whose marker is followed by another one of the server: one more message for each run, and a second longer to wait.
  const dropLease = (key: string, how: VanishOptions): TE.TaskEither<StoreFailure, void> =>
    checkpoints?.isSole() === true
      ? () => Promise.resolve(E.right(bucket.vanishUnheard(key, how)))
      : pipe(bucket.vanish(key, how), TE.bimap(storeFailure, () => undefined))

  /** The same entry is handed out again while it is remembered. */
  const understood = new WeakMap<KvEntry, E.Either<StoreFailure, Stored<Checkpoint>>>()
  const once = (found: KvEntry): E.Either<StoreFailure, Stored<Checkpoint>> => {
    const before = understood.get(found)
    if (before !== undefined) return before
    const fresh = decoded(CheckpointEntry, buckets.state, found)
    understood.set(found, fresh)
    return fresh
  }

  return {
    readLease: (conn) =>
      pipe(
        bucket.get(stateKeys.lease(conn)),
        TE.mapLeft(storeFailure),
        TE.chainEitherK((found): E.Either<StoreFailure, LeaseSeen> => {
          if (found === undefined || found.value === null) return E.right({ entry: null, revision: found?.revision ?? 0, ageMs: 0 })
          return pipe(decoded(LeaseEntry, buckets.state, found), E.map(({ value, revision }) => ({ entry: value, revision, ageMs: Math.max(0, now() - found.created) })))
        }),
      ),
    writeLease: (conn, entry, expected, ttlSeconds) =>
      pipe(
        send(keyed(stateKeys.lease(conn)), encode(LeaseEntry, entry), { expect: { lastSubjectSequence: expected }, ttlSeconds }),
        TE.bimap(storeFailure, ({ seq }) => seq),
      ),
    dropLease: (conn, expected) => (expected > 0 ? dropLease(stateKeys.lease(conn), { previousSeq: expected, ttlSeconds: 1 }) : noFence(conn)),
    readCheckpoint: (conn, flow) =>
      pipe(
        readCheckpointEntry(stateKeys.checkpoint(conn, flow)),
        TE.mapLeft(storeFailure),
        TE.chainEitherK((found) => (found === undefined || found.value === null ? E.right(null) : once(found))),
      ),
    readPages: (conn, flow, pages) => async () => {
      const found = new Map<number, Stored<LedgerPage>>()
      // A bounded number of reads at once: a ledger of a million links has thousands of pages.
      for (let from = 0; from < pages.length; from += readsAtOnce) {
        const numbers = pages.slice(from, from + readsAtOnce)
        const read = await Promise.all(numbers.map((n) => bucket.get(stateKeys.page(conn, flow, n))()))
        for (const [i, entry] of read.entries()) {
          if (E.isLeft(entry)) return E.left(storeFailure(entry.left))
          const n = numbers[i]
          if (entry.right === undefined || n === undefined) continue
          if (entry.right.value === null) {
            found.set(n, { value: { links: {} }, revision: entry.right.revision })
            continue
          }
          const page = decoded(LedgerPage, buckets.state, entry.right)
          if (E.isLeft(page)) return page
          found.set(n, page.right)
        }
      }
      return E.right(found)
    },
    writeCheckpoint: (conn, flow, checkpoint, leaseRevision) =>
      leaseRevision <= 0
        ? noFence(conn)
        : pipe(
            send(keyed(stateKeys.checkpoint(conn, flow)), encode(CheckpointEntry, checkpoint), {
              expect: { lastSubjectSequence: leaseRevision, lastSubjectSequenceSubject: keyed(stateKeys.lease(conn)) },
            }),
            TE.mapLeft(storeFailure),
            TE.map(({ seq }) => seq),
          ),
    writeBatch: (batch) => {
      if (batch.lease.revision <= 0) return noFence(batch.conn)
      const store = (checkpointRevision: number) => pipe(sendBatch(messagesOf(batch, checkpointRevision, keyed)), TE.mapLeft(storeFailure), TE.map(({ lastSeq }) => lastSeq))
      const expected = batch.checkpoint.revision
      if (expected > 0) return store(expected)
      return pipe(
        store(expected),
        // "There is none" holds as well for a checkpoint that an operator deleted, but its marker has a revision.
        TE.orElse((failure) =>
          failure.is !== 'refused'
            ? TE.left(failure)
            : pipe(
                bucket.get(stateKeys.checkpoint(batch.conn, batch.flow)),
                TE.mapLeft(storeFailure),
                TE.chain((marker) => (marker?.value === null ? store(marker.revision) : TE.left(failure))),
              ),
        ),
      )
    },
    onReconnect: bus.onReconnect,
  }
}

/** The lease comes last: what refers to it after the batch has written it would be refused (NATS.md §3.3). */
const messagesOf = ({ conn, flow, pages, checkpoint, lease, ttlSeconds }: StateBatch, checkpointRevision: number, keyed: (key: string) => string): ReadonlyArray<BatchMessage> => [
  ...pages.map(({ n, page, revision }) => ({ subject: keyed(stateKeys.page(conn, flow, n)), body: encode(LedgerPage, page), expectLastSubjectSequence: revision })),
  { subject: keyed(stateKeys.checkpoint(conn, flow)), body: encode(CheckpointEntry, checkpoint.value), expectLastSubjectSequence: checkpointRevision },
  { subject: keyed(stateKeys.lease(conn)), body: encode(LeaseEntry, lease.value), expectLastSubjectSequence: lease.revision, ttlSeconds },
]

const noFence = (conn: string): TE.TaskEither<StoreFailure, never> => TE.left({ is: 'broken', message: `a write for ${conn} names no lease revision: 0 is no fence` })

const readsAtOnce = 64
