/** Knows which message of the worker goes to which subject, under which id. */
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { Progress } from '#libs/contracts/progress.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { headerNames, messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { linkKey } from '#libs/domain/record.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import type { Ports } from './ports.ts'

type Spoken = 'askResolver' | 'sayResult' | 'sayDead' | 'sayParked' | 'sayArchived' | 'readArchived' | 'sayRequest' | 'sayProgress'

export const spokenPorts = (bus: Bus, resolverTimeoutMs: number): Pick<Ports, Spoken> => {
  const send = publish(bus)
  const sendCore = publishCore(bus)
  const question = ask(bus)

  const store = <A>(contract: Contract<A>, subject: string, message: A, msgId: string, trace: string | undefined): TE.TaskEither<SyncFailure, void> =>
    pipe(
      send(subject, encode(contract, message), { msgId, headers: headersOf(contract, trace), retryTimeouts: true }),
      TE.mapLeft(told(subject)),
      TE.map(() => undefined),
    )

  return {
    askResolver: (asked, trace) =>
      pipe(
        question(subjects.resolve(asked.strategy), encode(ConflictQuestion, asked), { timeoutMs: resolverTimeoutMs, headers: headersOf(ConflictQuestion, trace) }),
        TE.mapLeft(told('conflict-resolver')),
        TE.chainEitherK(({ body }) => pipe(decode(ConflictAnswer, body), E.mapLeft((bad): SyncFailure => ({ is: 'unavailable', message: `the resolver's answer cannot be read: ${bad.report.join('; ')}` })))),
      ),
    sayResult: (result, trace) => store(RunResult, subjects.result(result.conn, result.outcome), result, messageIds.result(result.run), trace),
    sayDead: (dead, trace) => store(DeadLetter, subjects.dead(dead.conn), dead, messageIds.dead(dead.stream, dead.seq), trace),
    sayParked: (parked, trace) =>
      store(ParkedRecord, subjects.dead(parked.conn), parked, messageIds.parked(parked.run, parked.flow, linkKey(parked.conn, parked.flow, parked.key)), trace),
    sayArchived: (version, trace) => {
      const key = linkKey(version.conn, version.flow, version.key)
      return store(ArchivedVersion, subjects.archive(version.conn, version.flow, key), version, messageIds.archived(version.run, version.flow, key, version.side), trace)
    },
    readArchived: (seq) =>
      pipe(
        getMessage(bus)(streams.archive, { seq }),
        TE.mapLeft(told(streams.archive)),
        TE.chainEitherK((found): E.Either<SyncFailure, ArchivedVersion | null> => {
          if (found === undefined) return E.right(null)
          return pipe(decode(ArchivedVersion, found.body), E.mapLeft((bad): SyncFailure => ({ is: 'needs-person', message: `archived version ${seq} cannot be read: ${bad.report.join('; ')}`, mend: 'choose another version' })))
        }),
      ),
    // Requests already waiting for this connection say the same (NATS.md §6.4).
    sayRequest: (conn, request, dedupe, trace) =>
      pipe(
        send(subjects.request(conn), encode(SyncRequest, request), { msgId: dedupe, headers: headersOf(SyncRequest, trace), retryTimeouts: true }),
        TE.map(() => undefined),
        TE.orElse((failure) => (failure.is === 'subject-full' ? TE.right(undefined) : TE.left(told('SYNC_REQUESTS')(failure)))),
      ),
    sayProgress: (progress) => void sendCore(subjects.progress(progress.conn), encode(Progress, progress), headersOf(Progress, undefined)),
  }
}

const headersOf = <A>(contract: Contract<A>, trace: string | undefined): Record<string, string> => ({
  [headerNames.schema]: contract.schema,
  ...(trace === undefined ? {} : { [headerNames.traceparent]: trace }),
})

const told = (to: string) => (failure: NatsFailure): SyncFailure =>
  failure.is === 'too-large'
    ? { is: 'bad-item', message: `too large to be kept in NATS: ${describeNatsFailure(failure)}`, code: 'too-large' }
    : { is: 'unavailable', message: `${to}: ${describeNatsFailure(failure)}`, code: failure.is }
