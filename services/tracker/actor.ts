/**
 * Knows which message goes where: results and progress to the record of their connection, advisories to the burial,
 * documents to the directory. Does not know NATS: start.ts brings the messages and takes the verdicts.
 */
import { done } from '#libs/actor/verdict.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import type { Clock } from '#libs/clock.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import { decode } from '#libs/contracts/decode.ts'
import type { BadMessage } from '#libs/contracts/decode.ts'
import { Progress } from '#libs/contracts/progress.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { connectionInSubject, headerNames } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Metrics } from '#libs/telemetry/metrics.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { advisories, laterBecause } from './advisories.ts'
import type { Buried } from './bury.ts'
import type { KeptDirectory } from './directory.ts'
import { unreadableLetter } from './join.ts'
import type { Lost } from './join.ts'
import { perConnection } from './per-connection.ts'
import type { Heard, TrackerPorts, Trouble } from './ports.ts'
import { deadIn } from './present.ts'
import { recent } from './recent.ts'
import { record } from './record.ts'
import type { Guess } from './record.ts'
import { describe } from './refusals.ts'
import type { Task } from './turn.ts'

export type ActorDeps = {
  readonly ports: TrackerPorts
  readonly directory: KeptDirectory
  readonly clock: Clock
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics
  /** Connections whose last status is kept at hand. */
  readonly cached: number
}

export type TrackerActor = {
  readonly onResult: (heard: Heard) => Promise<Verdict>
  readonly onDead: (heard: Heard) => Promise<Verdict>
  readonly onAdvisory: (heard: Heard) => Promise<Verdict>
  readonly onProgress: (subject: string, body: Uint8Array) => Promise<void>
  /** `document` is undefined when the connection was deleted. */
  readonly onDocument: (conn: string, document: Uint8Array | undefined) => void
  readonly bury: (lost: Lost) => Promise<E.Either<Trouble, Buried>>
  readonly inFlight: () => number
}

export const trackerActor = (deps: ActorDeps): TrackerActor => {
  const { ports, directory, clock, log, tracer, metrics } = deps
  const isPaused = (conn: string) => directory.find(conn)?.paused === true
  const lettersHeard = recent<true>(10_000)
  const again = laterBecause(log)
  const recording = record({ ...ports, guesses: recent<Guess>(deps.cached), isPaused, alert: ports.says.alert })
  const connections = perConnection((conn: string, tasks: ReadonlyArray<Task>) => recording(conn, tasks)())

  const onResult = async (heard: Heard): Promise<Verdict> => {
    const read = ofItsSubject(heard.subject, decode(RunResult, heard.body))
    if (read._tag === 'Left') return keepUnreadable(heard, read.left)
    const result = read.right
    const { conn, run, outcome, quiet } = result
    const kept = await tracer.span('tracker.record', { parent: heard.header(headerNames.traceparent), attributes: { conn, run, outcome, quiet } }, () => connections.submit(conn, { is: 'result', result }))
    return kept._tag === 'Left' ? again(heard, kept.left) : done
  }

  const keepUnreadable = async (heard: Heard, bad: BadMessage): Promise<Verdict> => {
    const { stream, seq, subject } = heard
    log.error('message.bad', { stream, seq, subject, codec: bad.codec, report: bad.report })
    metrics.count('syncline.bad_messages', { schema: bad.codec })
    ports.says.alert({ conn: connectionInSubject(subject), kind: 'bad-message', seq, at: clock.now(), message: `message ${seq} of ${stream} is not a ${bad.codec}: ${bad.report.join('; ')}` })
    const kept = await ports.dead.write(unreadableLetter({ ...heard, headers: heard.headers() }, bad.codec, bad.report, clock.now()))()
    // too large for a letter: it stays in its stream, and its place was told above
    return kept._tag === 'Left' && kept.left.is !== 'impossible' ? again(heard, kept.left) : done
  }

  /** Letters are written elsewhere; here they are only noticed. An unreadable one stays where it is: it is kept already. */
  const onDead = async (heard: Heard): Promise<Verdict> => {
    const conn = connectionInSubject(heard.subject)
    lettersHeard.set(heard.header(headerNames.msgId) ?? '', true)
    const dead = deadIn({ ...heard, headers: heard.headers() })
    switch (dead.type) {
      case 'dead-letter':
        metrics.count('syncline.dead_letters', { reason: dead.letter.error?.is ?? dead.letter.writtenBy ?? 'unknown' })
        ports.says.alert({ conn, kind: 'dead-letter', seq: heard.seq, at: clock.now(), message: dead.letter.why, mend: `syncline dlq show ${heard.seq}`, ...(dead.letter.run === undefined ? {} : { run: dead.letter.run }) })
        break
      case 'parked-record':
        metrics.count('syncline.parked')
        break
      case 'unreadable':
        log.error('message.bad', { stream: heard.stream, seq: heard.seq, subject: heard.subject, codec: heard.header(headerNames.schema) ?? DeadLetter.schema, report: dead.report })
        ports.says.alert({ conn, kind: 'bad-message', seq: heard.seq, at: clock.now(), message: `letter ${heard.seq} is neither a ${DeadLetter.schema} nor a ${ParkedRecord.schema}: ${dead.report.join('; ')}` })
    }
    return done
  }

  /** For what need not be heard again: the next result sets it right. */
  const look = async (conn: string, task: Task): Promise<void> => {
    const kept = await connections.submit(conn, task)
    if (kept._tag === 'Left') log.warn('tracker.later', { conn, reason: describe(kept.left) })
  }

  return {
    onResult,
    onDead,
    ...advisories({ ports, log, tracer, now: clock.now, hasHeard: (letter) => lettersHeard.get(letter) !== undefined }),
    onProgress: async (subject, body) => {
      const read = ofItsSubject(subject, decode(Progress, body))
      // nothing is lost with a mark in passing: the next one comes within a second, and the result tells all
      if (read._tag === 'Left') {
        log.warn('message.bad', { subject, codec: read.left.codec, report: read.left.report })
        return
      }
      await look(read.right.conn, { is: 'progress', progress: read.right })
    },
    onDocument: (conn, document) => {
      if (document === undefined) {
        directory.remove(conn)
        return
      }
      const read = decode(ConnectionDocument, document)
      if (read._tag === 'Left') {
        log.error('message.bad', { conn, codec: read.left.codec, report: read.left.report })
        return
      }
      if (directory.put(read.right)) void look(conn, { is: 'document' })
    },
    inFlight: () => connections.busy(),
  }
}

/** Permissions are given by subject, so a body that speaks of another connection is a lie or a mistake. */
const ofItsSubject = <A extends { readonly conn: string }>(subject: string, read: E.Either<BadMessage, A>): E.Either<BadMessage, A> =>
  read._tag === 'Right' && read.right.conn !== connectionInSubject(subject)
    ? E.left({ is: 'bad-message', codec: subject, report: [`conn: expected ${connectionInSubject(subject)} as in the subject, found ${read.right.conn}`] })
    : read
