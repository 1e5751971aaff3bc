/** Knows how to store one message and what its acknowledgement means. Does not know what is in it. */
import { E, TE } from '#libs/fp.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { toMsgHdrs } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { parseServerAnswer, request } from './request.ts'
import type { Bus } from './connect.ts'

export type Expectation = {
  /** Sequence of the last message on the subject; 0 = there is none. */
  readonly lastSubjectSequence: number
  /** Look at this subject instead of the one published to: a fence. */
  readonly lastSubjectSequenceSubject?: string
}

export type PublishOptions = {
  readonly msgId?: string
  readonly headers?: HeaderRecord
  readonly expect?: Expectation
  readonly ttlSeconds?: number
  readonly timeoutMs?: number
  /** Send again after a timeout too. Only with a msgId, which makes the second copy a duplicate. */
  readonly retryTimeouts?: boolean
}

export type Stored = { readonly seq: number; readonly duplicate: boolean }

const attempts = 6
const retryDelayMs = 150 // doubles: 150 … 2400, about as long as the election of a new leader
const attemptsToReconnect = 7 // 4800 ms more, for a server that is restarted

export const publish =
  (bus: Bus) =>
  (subject: string, body: Uint8Array, options: PublishOptions = {}): TE.TaskEither<NatsFailure, Stored> => {
    const headers = toMsgHdrs(publishHeaders(options))
    const timeoutMs = options.timeoutMs ?? 5_000
    return async () => {
      for (let attempt = 1; ; attempt++) {
        const answer = await request(bus, subject, body, timeoutMs, headers)
        const stored = answer._tag === 'Left' ? answer : parseServerAnswer<PubAck>(answer.right)
        if (stored._tag === 'Right') return E.right({ seq: stored.right.seq, duplicate: stored.right.duplicate === true })
        if (attempt >= (stored.left.is === 'disconnected' ? attemptsToReconnect : attempts) || !mayRetry(stored.left, options)) return stored
        await new Promise((done) => setTimeout(done, retryDelayMs * 2 ** (attempt - 1)))
      }
    }
  }

/** To be stored, and not waited for: whether it was, nobody hears. For what may get lost. Leaves in turn with what is asked. */
export const publishUnheard =
  (bus: Bus) =>
  (subject: string, body: Uint8Array, options: Pick<PublishOptions, 'headers' | 'expect' | 'ttlSeconds'>): void =>
    bus.tell(subject, body, toMsgHdrs(publishHeaders(options)))

/** Without storing or acknowledgement: progress, control, answers. */
export const publishCore =
  (bus: Bus) =>
  (subject: string, body: Uint8Array, headers?: HeaderRecord): E.Either<NatsFailure, void> => {
    try {
      bus.nc.publish(subject, body, headers === undefined ? {} : { headers: toMsgHdrs(headers) })
      return E.right(undefined)
    } catch (cause) {
      return E.left(natsFailureOf(cause))
    }
  }

/** As raw headers, because a batch loses the library's typed options on the way (NATS.md §3.4). */
export const publishHeaders = (options: PublishOptions): HeaderRecord => {
  const record: Record<string, string> = { ...options.headers }
  if (options.msgId !== undefined) record['Nats-Msg-Id'] = options.msgId
  if (options.ttlSeconds !== undefined) record['Nats-TTL'] = ttlHeader(options.ttlSeconds)
  const expect = options.expect
  if (expect !== undefined) {
    record['Nats-Expected-Last-Subject-Sequence'] = sequenceHeader(expect.lastSubjectSequence)
    if (expect.lastSubjectSequenceSubject !== undefined) {
      // Expecting 0 of another subject is accepted once that subject is empty: no fence at all (NATS.md §3.2)
      if (expect.lastSubjectSequence === 0)
        throw new Error(`a fence on ${expect.lastSubjectSequenceSubject} must not expect sequence 0`)
      record['Nats-Expected-Last-Subject-Sequence-Subject'] = expect.lastSubjectSequenceSubject
    }
  }
  return record
}

type PubAck = { readonly stream: string; readonly seq: number; readonly duplicate?: boolean }

/** Only what surely stored nothing, or what a msgId makes harmless. A conditional write is never sent twice:
 *  the caller has to look first (NATS.md §2.4, §3.3). */
const mayRetry = (failure: NatsFailure, options: PublishOptions): boolean => {
  switch (failure.is) {
    case 'no-responders':
      return true
    case 'disconnected':
      return options.expect === undefined
    case 'timeout':
      return options.retryTimeouts === true && options.msgId !== undefined && options.expect === undefined
    default:
      return false
  }
}

const sequenceHeader = (sequence: number): string => {
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new Error(`${sequence} is not a sequence`)
  return String(sequence)
}

const ttlHeader = (seconds: number): string => {
  // the server cuts fractions off and refuses less than a second (NATS.md §2.1)
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error(`a TTL is whole seconds, at least 1, not ${seconds}`)
  return `${seconds}s`
}
