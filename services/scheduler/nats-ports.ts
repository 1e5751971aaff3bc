/** ROOT part: binds the scheduler's ports to subjects, streams and buckets. Knows which message has which id. */
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { Status } from '#libs/contracts/status.ts'
import { buckets, headerNames, messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import type { Ports, Published, StoreFailure } from './ports.ts'
import { shardKey, Watermark } from '#libs/contracts/watermark.ts'

/** Somebody may be waiting for the answer; what timed out is said again under the same id by those who can wait. */
const timeoutMs = 4_000
/** Replicas write about once a second each: two losses in a row are rare, more mean that something is wrong. */
const mostRaces = 5

export const natsPorts = (bus: Bus): Ports => {
  const send = publish(bus)
  const open = openBucket(bus)
  const [connections, status, scheduler] = [open(buckets.connections), open(buckets.status), open(buckets.scheduler)]

  const say = <A>(contract: Contract<A>, subject: string, message: A, msgId: string, traceparent?: string): TE.TaskEither<StoreFailure, Published> =>
    pipe(
      send(subject, encode(contract, message), { msgId, timeoutMs, headers: headersOf(contract, traceparent) }),
      TE.map(({ duplicate }): Published => (duplicate ? 'duplicate' : 'stored')),
      TE.orElse((failure) => (failure.is === 'subject-full' ? TE.right<StoreFailure, Published>('full') : TE.left(storeFailure(failure)))),
    )
  const kept = TE.map((): void => undefined)

  const readWatermark: TE.TaskEither<StoreFailure, { readonly upTo: number | undefined; readonly revision: number }> = pipe(
    scheduler.get(shardKey),
    TE.mapLeft(storeFailure),
    TE.chainEitherK((entry) =>
      entry === undefined || entry.value === null
        ? E.right<StoreFailure, undefined>(undefined)
        : pipe(readable(Watermark, entry.value, `the watermark ${shardKey}`), E.map(({ upTo }) => ({ upTo, revision: entry.revision }))),
    ),
    TE.map((found) => found ?? { upTo: undefined, revision: 0 }),
  )

  return {
    publishWork: (item, msgId, traceparent) => say(WorkItem, subjects.work(item.lane, item.conn), item, msgId, traceparent),
    publishRequest: (conn, request, msgId, traceparent) => say(SyncRequest, subjects.request(conn), request, msgId, traceparent),
    publishSkipped: (result, traceparent) => kept(say(RunResult, subjects.result(result.conn, result.outcome), result, messageIds.result(result.run), traceparent)),
    publishDeadLetter: (letter) => kept(say(DeadLetter, subjects.dead(letter.conn), letter, messageIds.dead(letter.stream, letter.seq), letter.headers[headerNames.traceparent])),
    lastWork: (lane, conn) =>
      pipe(
        getMessage(bus)(streams.work, { lastBySubject: subjects.work(lane, conn) }),
        TE.mapLeft(storeFailure),
        TE.chainEitherK((found) => (found === undefined ? E.right(undefined) : readable(WorkItem, found.body, found.subject))),
      ),
    readStatus: (conn) =>
      pipe(
        status.get(conn),
        TE.mapLeft(storeFailure),
        // A status of another version is no status: it only spares work
        TE.map((entry) => (entry === undefined || entry.value === null ? undefined : E.toUnion(pipe(decode(Status, entry.value), E.mapLeft(() => undefined))))),
      ),
    readDocument: (conn) =>
      pipe(
        connections.get(conn),
        TE.mapLeft(storeFailure),
        TE.map((entry) => (entry === undefined || entry.value === null ? undefined : { body: entry.value, revision: entry.revision })),
      ),
    readWatermark: pipe(readWatermark, TE.map(({ upTo }) => upTo)),
    rememberWatermark: (upTo) => async () => {
      for (let race = 1; ; race++) {
        const standing = await readWatermark()
        if (E.isLeft(standing)) return standing
        if (standing.right.upTo !== undefined && standing.right.upTo >= upTo) return E.right(standing.right.upTo)
        const written = await scheduler.update(shardKey, encode(Watermark, { upTo }), standing.right.revision)()
        if (E.isRight(written)) return E.right(upTo)
        if (written.left.is !== 'wrong-sequence' || race >= mostRaces) return E.left(storeFailure(written.left))
      }
    },
  }
}

const storeFailure = (failure: NatsFailure): StoreFailure => ({ is: 'store', message: describeNatsFailure(failure) })

const readable = <A>(contract: Contract<A>, body: Uint8Array, what: string): E.Either<StoreFailure, A> =>
  pipe(decode(contract, body), E.mapLeft((bad) => ({ is: 'store', message: `${what} cannot be read: ${bad.report.join('; ')}` })))

const headersOf = <A>(contract: Contract<A>, traceparent: string | undefined) => ({
  [headerNames.schema]: contract.schema,
  ...(traceparent === undefined ? {} : { [headerNames.traceparent]: traceparent }),
})
