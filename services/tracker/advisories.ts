/**
 * Knows what to do about each advisory of the server: lay to rest what was given up on, look for the letter of what a
 * worker ended itself. Does not know how a letter is made: join.ts and bury.ts do.
 */
import { done, retryIn } from '#libs/actor/verdict.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import { decode } from '#libs/contracts/decode.ts'
import { headerNames, messageIds } from '#libs/contracts/subjects.ts'
import type { E } from '#libs/fp.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { bury, hasLetter } from './bury.ts'
import type { Buried } from './bury.ts'
import { Advisory, isTermination, lostBy } from './join.ts'
import type { Lost } from './join.ts'
import type { Heard, TrackerPorts, Trouble } from './ports.ts'
import { describe } from './refusals.ts'

export type AdvisoryDeps = {
  readonly ports: TrackerPorts
  /** Whether the letter with this message id came by here lately. */
  readonly hasHeard: (letter: string) => boolean
  readonly now: () => number
  readonly log: Log
  readonly tracer: Tracer
}

const letterIsLateMs = 2_000
/** Letters behind the newest among which a terminated message's letter is looked for, when another tracker heard it. */
const lookedBack = 2_000

export const advisories = ({ ports, hasHeard, now, log, tracer }: AdvisoryDeps) => {
  const again = laterBecause(log)
  const buryLost = (lost: Lost): Promise<E.Either<Trouble, Buried>> =>
    tracer.span('tracker.join', { parent: lost.original.headers[headerNames.traceparent], attributes: { stream: lost.stream, seq: lost.original.seq } }, () => bury(ports)(lost)())

  const onAdvisory = async (heard: Heard): Promise<Verdict> => {
    const advisory = decode(Advisory, heard.body)
    if (advisory._tag === 'Left') {
      log.error('message.bad', { stream: heard.stream, seq: heard.seq, subject: heard.subject, codec: advisory.left.codec, report: advisory.left.report })
      return done // it is the server's own, and holds nothing that could be lost
    }
    if (isTermination(advisory.right)) return onTermination(heard, advisory.right)
    const original = await ports.work.read(advisory.right.stream_seq)()
    if (original._tag === 'Left') return again(heard, original.left)
    if (original.right === undefined) return done
    const buried = await buryLost(lostBy(advisory.right, original.right))
    if (buried._tag === 'Left') return again(heard, buried.left)
    log.warn('tracker.buried', { stream: advisory.right.stream, seq: advisory.right.stream_seq, deliveries: advisory.right.deliveries ?? 0, subject: original.right.subject, outcome: buried.right })
    return done
  }

  /** A terminated message is gone from the queue (NATS.md §5.2): its letter must have been written just before. */
  const onTermination = async (heard: Heard, { stream, stream_seq, reason }: Advisory): Promise<Verdict> => {
    const id = messageIds.dead(stream, stream_seq)
    if (hasHeard(id)) return done
    // The letter comes by another consumer than the advisory, and may be a moment behind it
    if (heard.deliveryCount === 1) return retryIn(letterIsLateMs, 'its letter was not heard yet')
    const last = await ports.dead.lastSeq()
    if (last._tag === 'Left') return again(heard, last.left)
    const found = await hasLetter(ports.dead, undefined, stream, stream_seq, Math.max(1, last.right - lookedBack))
    if (found._tag === 'Left') return again(heard, found.left)
    if (found.right) return done
    log.error('tracker.letter-missing', { stream, seq: stream_seq, reason })
    ports.says.alert({ conn: 'unknown', kind: 'dead-letter-missing', seq: stream_seq, at: now(), message: `message ${stream_seq} of ${stream} was terminated (${reason ?? 'no reason given'}), and no dead letter of it is stored` })
    return done
  }

  return { onAdvisory, bury: buryLost }
}

/** Delivered again with growing delay: what cannot be reached now is reached later. */
export const laterBecause = (log: Log) => (heard: Heard, trouble: Trouble): Verdict => {
  const reason = describe(trouble)
  log.warn('tracker.later', { stream: heard.stream, seq: heard.seq, attempt: heard.deliveryCount, reason })
  return retryIn(Math.min(30_000, 500 * 2 ** Math.min(heard.deliveryCount - 1, 6)), reason)
}
