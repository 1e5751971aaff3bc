/**
 * Knows the connection documents as the worker needs them: a watched copy, and a fresh read when the work item speaks of a
 * later revision than the copy has. The copy is a cache, never the truth.
 */
import { meetingWays, type MeetingWays } from '#libs/config/meeting-ways.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode } from '#libs/contracts/decode.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Ports } from './ports.ts'

type Known = { readonly revision: number; readonly document: E.Either<SyncFailure, Connection | null> }

export type Documents = {
  readonly connection: Ports['connection']
  /** Which of their flows could bring an item to one place by two ways, as far as the copy tells. */
  readonly ways: Pick<MeetingWays, 'knows' | 'mayMeet'>
  readonly stop: () => Promise<void>
}

export const connectionDocuments = async (bus: Bus, log: Log): Promise<Documents> => {
  const bucket = openBucket(bus)(buckets.connections)
  const known = new Map<string, Known>()
  const ways = meetingWays()
  const learn = (entry: KvEntry): Known => {
    const seen = known.get(entry.key)
    if (seen !== undefined && seen.revision >= entry.revision) return seen
    const now: Known = { revision: entry.revision, document: documentOf(entry) }
    known.set(entry.key, now)
    if (E.isRight(now.document) && now.document.right !== null) ways.put(now.document.right)
    else ways.remove(entry.key)
    return now
  }
  const watch = bucket.watch('>', learn, { onError: (failure) => log.warn('connections.watch-failed', { reason: describeNatsFailure(failure) }) })
  await watch.ready
  return {
    connection: (conn, revision) => async () => {
      const copy = known.get(conn)
      if (copy !== undefined && copy.revision >= revision) return copy.document
      const read = await bucket.get(conn)()
      if (E.isLeft(read)) return E.left({ is: 'unavailable', message: `connection ${conn} cannot be read: ${describeNatsFailure(read.left)}` })
      return read.right === undefined ? E.right(null) : learn(read.right).document
    },
    ways,
    stop: watch.stop,
  }
}

const documentOf = (entry: KvEntry): E.Either<SyncFailure, Connection | null> => {
  if (entry.value === null) return E.right(null)
  const decoded = decode(ConnectionDocument, entry.value)
  return E.isRight(decoded)
    ? E.right(decoded.right.connection)
    : E.left({ is: 'needs-person', message: `the document of connection ${entry.key} cannot be read: ${decoded.left.report.join('; ')}`, mend: 'apply its configuration again with `syncline apply -f`' })
}
