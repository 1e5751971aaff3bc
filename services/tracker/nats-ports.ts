/** Binds what the tracker needs of the world to streams, subjects and buckets. Does not decide anything. */
import type { Clock } from '#libs/clock.ts'
import { Alert } from '#libs/contracts/alert.ts'
import { AuditRecord } from '#libs/contracts/audit.ts'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import type { Contract } from '#libs/contracts/decode.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { LeaseEntry } from '#libs/contracts/state.ts'
import { Stats, Status } from '#libs/contracts/status.ts'
import { buckets, durables, headerNames, messageIds, stateKeys, streams, subjects } from '#libs/contracts/subjects.ts'
import { TriggerAnswer, TriggerQuestion } from '#libs/contracts/trigger.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E, TE, pipe } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { consumerInfo, deleteMessage, getMessage, listMessages, streamInfo } from '#libs/nats/stream-messages.ts'
import type { Log } from '#libs/telemetry/log.ts'
import { bucketOn, historyOn } from './nats-shelves.ts'
import { plain, troubleOf } from './nats-trouble.ts'
import type { TrackerPorts, Trouble } from './ports.ts'
import { historyIn, shelfIn } from './shelves.ts'

export const portsOn = ({ bus, log, clock }: { readonly bus: Bus; readonly log: Log; readonly clock: Pick<Clock, 'sleep'> }): TrackerPorts => {
  const onUnreadable = (key: string, codec: string, report: ReadonlyArray<string>): void => log.error('message.bad', { key, codec, report })
  const say = <A>(subject: string, contract: Contract<A>, value: A, msgId?: string, traceparent?: string) => pipe(
    publish(bus)(subject, encode(contract, value), {
      headers: { [headerNames.schema]: contract.schema, ...(traceparent === undefined ? {} : { [headerNames.traceparent]: traceparent }) },
      ...(msgId === undefined ? {} : { msgId, retryTimeouts: true }),
    }),
    TE.mapLeft(troubleOf),
  )
  const silently = TE.map((): void => undefined)
  const inLane = (lane: 'hot' | 'cold') => pipe(consumerInfo(bus)(streams.work, durables.work(lane)), TE.mapLeft(troubleOf))
  const leases = openBucket(bus)(buckets.state)

  return {
    status: shelfIn(bucketOn(bus, clock, buckets.status), Status, onUnreadable),
    stats: shelfIn(bucketOn(bus, clock, buckets.stats), Stats, onUnreadable),
    history: historyIn(historyOn(bus, clock), onUnreadable),
    work: {
      read: (seq) => plain(getMessage(bus)(streams.work, { seq })),
      remove: (seq) => plain(deleteMessage(bus)(streams.work, seq)),
      unaccounted: async () => {
        const [hot, cold, all] = await Promise.all([inLane('hot')(), inLane('cold')(), streamInfo(bus)(streams.work)()])
        if (hot._tag === 'Left') return hot
        if (cold._tag === 'Left') return cold
        if (all._tag === 'Left') return E.left(troubleOf(all.left))
        return E.right(all.right.messages - hot.right.pending - hot.right.ackPending - cold.right.pending - cold.right.ackPending)
      },
      lane: (lane) => async () => {
        const [numbers, stored] = await Promise.all([inLane(lane)(), streamInfo(bus)(streams.work, subjects.works(lane))()])
        if (numbers._tag === 'Left') return numbers
        if (stored._tag === 'Left') return E.left(troubleOf(stored.left))
        const { pending, ackPending: inHand, waitingPulls } = numbers.right
        return E.right({ stored: Object.values(stored.right.subjects).reduce((sum, n) => sum + n, 0), pending, inHand, waitingPulls })
      },
      oldest: (lane, limit) => plain(listMessages(bus)(streams.work, { filterSubject: subjects.works(lane), limit })),
    },
    dead: {
      read: (seq) => plain(getMessage(bus)(streams.dead, { seq })),
      list: (conn, fromSeq, limit) => plain(listMessages(bus)(streams.dead, { filterSubject: conn === undefined ? subjects.deads : subjects.dead(conn), fromSeq, limit })),
      remove: (seq) => plain(deleteMessage(bus)(streams.dead, seq)),
      lastSeq: pipe(streamInfo(bus)(streams.dead), TE.bimap(troubleOf, ({ lastSeq }) => lastSeq)),
      write: (letter, traceparent) => silently(say(subjects.dead(letter.conn), DeadLetter, letter, messageIds.dead(letter.stream, letter.seq), traceparent)),
      writeEdited: (seq, letter) => pipe(say(subjects.dead(letter.conn), DeadLetter, letter, messageIds.edited(seq)), TE.map((stored) => (stored.duplicate ? 'duplicate' : stored.seq))),
    },
    says: {
      alert: (alert) => {
        log.warn('tracker.alert', { conn: alert.conn, kind: alert.kind, message: alert.message, run: alert.run, seq: alert.seq, reason: alert.reason, mend: alert.mend })
        const said = publishCore(bus)(subjects.alert(alert.conn), encode(Alert, alert), { [headerNames.schema]: Alert.schema })
        if (said._tag === 'Left') log.warn('tracker.nats', { reason: describeNatsFailure(said.left) })
      },
      result: (result, traceparent) => silently(say(subjects.result(result.conn, result.outcome), RunResult, result, messageIds.result(result.run), traceparent)),
      request: (conn, request, dedupe) => ConnectionId.is(conn)
        ? pipe(say(subjects.request(conn), SyncRequest, request, dedupe), TE.map(({ duplicate }) => (duplicate ? 'duplicate' as const : 'stored' as const)))
        : TE.left({ is: 'impossible', message: `${conn} is not a connection id` }),
      audit: (record) => silently(say(subjects.audit(record.conn), AuditRecord, record)),
      trigger: (conn, question) => pipe(
        ask(bus)(subjects.trigger(conn), encode(TriggerQuestion, question), { timeoutMs: 3_000, headers: { [headerNames.schema]: TriggerQuestion.schema } }),
        TE.mapLeft((failure): Trouble => (failure.is === 'no-responders' ? { is: 'unavailable', message: 'no scheduler is running' } : troubleOf(failure))),
        TE.chain(({ body }) => TE.fromEither(E.mapLeft((bad: { report: ReadonlyArray<string> }): Trouble => ({ is: 'impossible', message: bad.report.join('; ') }))(decode(TriggerAnswer, body)))),
      ),
    },
    attemptsOf: async (conn) => {
      if (!ConnectionId.is(conn)) return []
      const read = await leases.get(stateKeys.lease(conn))()
      const lease = read._tag === 'Right' && read.right?.value ? decode(LeaseEntry, read.right.value) : undefined
      return lease?._tag === 'Right' ? lease.right.attempts ?? [] : []
    },
  }
}
