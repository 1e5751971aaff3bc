/**
 * Knows how the archive is searched for what one run left there: forwards from the run's time, which its id tells. Only reads
 * by sequence, because no service may make a consumer on the archive.
 */
import { decodeTime } from 'ulid'
import { ArchivedVersion, CreatedItems } from '#libs/contracts/archive.ts'
import { decode } from '#libs/contracts/decode.ts'
import { headerNames, streams, subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E, type TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { readMessage, type StoredMessage } from '#libs/nats/stored-message.ts'
import type { ArchivedByRun } from './ports.ts'

const hour = 3_600_000
/** The id is made by a scheduler's clock, the archive's times by the server's. */
const clockSkewMs = hour
/** A run's attempts are over long before this much time has passed without a trace of it. */
const longestSilenceMs = 24 * hour

/** `run`: a ULID; anything else has nothing in the archive. */
export const archiveOfRun = (bus: Bus) => (conn: ConnectionId, run: string): TE.TaskEither<NatsFailure, ReadonlyArray<ArchivedByRun>> => async () => {
  const madeAt = E.tryCatch(() => decodeTime(run), () => undefined)
  if (E.isLeft(madeAt)) return E.right([])
  const filter = subjects.archiveOf(conn)
  const read = (from: number) => readMessage(bus, streams.archive, { from, filter })
  const start = await firstSince(read, () => readMessage(bus, streams.archive, { lastBySubject: filter }), madeAt.right - clockSkewMs)
  if (E.isLeft(start)) return start
  const found: Array<ArchivedByRun> = []
  let until = madeAt.right + longestSilenceMs
  for (let message = start.right; message !== undefined && message.storedAt <= until;) {
    const one = entryOf(message, run)
    if (one !== undefined) {
      found.push(one)
      until = message.storedAt + longestSilenceMs
    }
    const next = await read(message.seq + 1)
    if (E.isLeft(next)) return next
    message = next.right
  }
  return E.right(found)
}

type Read = (from: number) => Promise<E.Either<NatsFailure, StoredMessage | undefined>>

/** By halves: sequences and times rise together. */
const firstSince = async (read: Read, readLast: () => ReturnType<Read>, since: number): ReturnType<Read> => {
  const first = await read(1)
  if (E.isLeft(first) || first.right === undefined || first.right.storedAt >= since) return first
  const last = await readLast()
  if (E.isLeft(last) || last.right === undefined || last.right.storedAt < since) return E.isLeft(last) ? last : E.right(undefined)
  let [low, high] = [first.right.seq + 1, last.right.seq]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const met = await read(middle)
    if (E.isLeft(met)) return met
    if (met.right === undefined || met.right.storedAt >= since) high = middle
    else low = met.right.seq + 1
  }
  return read(low)
}

const entryOf = ({ body, headers }: StoredMessage, run: string): ArchivedByRun | undefined => {
  if (headers[headerNames.schema] === CreatedItems.schema) {
    const created = decode(CreatedItems, body)
    return E.isRight(created) && created.right.run === run ? { is: 'created', created: created.right } : undefined
  }
  const version = decode(ArchivedVersion, body)
  return E.isRight(version) && version.right.run === run ? { is: 'version', version: version.right } : undefined
}
