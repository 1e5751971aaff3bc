/** Knows which message of the worker goes to which subject, under which id. */
import { ArchivedVersion, CreatedItems } from '#libs/contracts/archive.ts'
import { AuditRecord } from '#libs/contracts/audit.ts'
import { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { Progress } from '#libs/contracts/progress.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { linkKey, valueHash } from '#libs/domain/record.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { wholeVersion } from '#libs/nats/large-version.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import { archiveOfRun } from './nats-archive.ts'
import { sayArchived } from './nats-replaced.ts'
import { headersOf, told } from './nats-said.ts'
import type { ArchivedByRun, Ports } from './ports.ts'

type Spoken = 'askResolver' | 'sayResult' | 'sayDead' | 'sayParked' | 'sayArchived' | 'sayCreated' | 'sayAudit' | 'readArchived' | 'archivedBy' | 'sayRequest' | 'sayProgress'

export const spokenPorts = (bus: Bus, resolverTimeoutMs: number): Pick<Ports, Spoken> => {
  const send = publish(bus)
  const sendCore = publishCore(bus)
  const question = ask(bus)

  const store = <A>(contract: Contract<A>, subject: string, message: A, msgId: string, trace: string | undefined): TE.TaskEither<SyncFailure, void> =>
    pipe(
      send(subject, encode(contract, message), { msgId, headers: headersOf(contract, trace), retryTimeouts: true }),
      TE.bimap(told(subject), () => undefined),
    )

  const whole = (version: ArchivedVersion): TE.TaskEither<SyncFailure, ArchivedVersion> =>
    pipe(wholeVersion(bus)(version), TE.mapLeft((failure): SyncFailure => (failure.is === 'lost-part' ? { is: 'needs-person', message: failure.message, mend: 'choose another version' } : told(streams.archive)(failure))))

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
    sayArchived: sayArchived(bus),
    sayCreated: (created, trace) => {
      const first = linkKey(created.conn, created.flow, created.items[0]?.key ?? '')
      return store(CreatedItems, subjects.created(created.conn, created.flow, created.side), created, messageIds.created(created.run, created.flow, first, created.side), trace)
    },
    sayAudit: (record, trace) => store(AuditRecord, subjects.audit(record.conn), record, messageIds.audit(record.act, record.run ?? '', valueHash(record.what)), trace),
    archivedBy: (conn, run) =>
      pipe(
        archiveOfRun(bus)(conn, run),
        TE.mapLeft(told(streams.archive)),
        TE.chain(TE.traverseSeqArray((one) => (one.is === 'created' ? TE.right(one) : pipe(whole(one.version), TE.map((version): ArchivedByRun => ({ is: 'version', version })))))),
      ),
    readArchived: (seq) =>
      pipe(
        getMessage(bus)(streams.archive, { seq }),
        TE.mapLeft(told(streams.archive)),
        TE.chainEitherK((found): E.Either<SyncFailure, ArchivedVersion | null> => {
          if (found === undefined) return E.right(null)
          return pipe(decode(ArchivedVersion, found.body), E.mapLeft((bad): SyncFailure => ({ is: 'needs-person', message: `archived version ${seq} cannot be read: ${bad.report.join('; ')}`, mend: 'choose another version' })))
        }),
        TE.chain((version) => (version === null ? TE.right(null) : whole(version))),
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
