/**
 * Knows how a server's advisory, the message it speaks of and what is known of its run become a dead letter (NATS.md §5.5).
 * Does not know where the pieces come from: bury.ts fetches them.
 */
import * as t from 'io-ts'
import { contract, decode } from '#libs/contracts/decode.ts'
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import { connectionInSubject, headerNames } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { Outcome } from '#libs/domain/states.ts'
import { parseTraceparent } from '#libs/telemetry/traceparent.ts'
import type { Stored } from './ports.ts'

/** Said by the server, without the message it is about: only where that one stood (NATS.md §5.1). */
export const Advisory = contract('io.nats.jetstream.advisory.v1', t.intersection([
  t.type({ type: t.string, timestamp: t.string, stream: t.string, consumer: t.string, stream_seq: t.number }),
  t.partial({ deliveries: t.number, reason: t.string }),
]))
export type Advisory = t.TypeOf<typeof Advisory.codec>

export const isTermination = (advisory: Advisory): boolean => advisory.type.endsWith('.terminated')

/** A message of the work queue that nobody will be given again. */
export type Lost = {
  readonly stream: string
  readonly original: Stored
  /** Deliveries there were; 0 = unknown. */
  readonly deliveries: number
  /** When the server, or the sweeper, noticed. */
  readonly noticedAt: number
  readonly why: string
}

export const lostBy = (advisory: Advisory, original: Stored): Lost => {
  const deliveries = advisory.deliveries ?? 0
  return {
    stream: advisory.stream,
    original,
    deliveries,
    noticedAt: Date.parse(advisory.timestamp),
    why: `given to workers ${deliveries} times and never finished: each one died, was cut off or failed without saying so`,
  }
}

export const connOf = (lost: Lost): string => connectionInSubject(lost.original.subject)

export const itemOf = (lost: Lost): WorkItem | undefined => {
  const item = decode(WorkItem, lost.original.body)
  return item._tag === 'Right' && item.right.conn === connOf(lost) ? item.right : undefined
}

/** What a run that has a result already still needs: a failure keeps its letter, anything else was done after all. */
export const isDoneAfterAll = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && outcome !== 'failed' && outcome !== 'dead'

/** The letter says everything that can be known now: the message whole, and every error somebody told. */
export const letterOf = (lost: Lost, status: Status | undefined, told: DeadLetter['attempts']): DeadLetter => {
  const item = itemOf(lost)
  const { original } = lost
  const trace = parseTraceparent(original.headers[headerNames.traceparent])
  return {
    conn: connOf(lost),
    stream: lost.stream,
    seq: original.seq,
    ...textOf(original.body),
    headers: { ...original.headers },
    attempts: attemptsOf(lost, item?.run, status, told),
    at: lost.noticedAt,
    why: item === undefined ? `${lost.why}; its body is not a work item` : lost.why,
    writtenBy: 'tracker',
    ...(item === undefined ? {} : { run: item.run }),
    ...(item?.redriveOf === undefined ? {} : { redriveOf: item.redriveOf }),
    ...(trace === undefined ? {} : { traceId: trace.traceId }),
  }
}

const attemptsOf = (lost: Lost, run: string | undefined, status: Status | undefined, told: DeadLetter['attempts']): DeadLetter['attempts'] => {
  const attempts = new Map(told.map((attempt) => [attempt.attempt, attempt]))
  const progress = status?.running?.run === run ? status?.running?.progress : undefined
  if (progress?.error !== undefined && !attempts.has(progress.attempt)) {
    attempts.set(progress.attempt, { attempt: progress.attempt, at: progress.at, error: progress.error })
  }
  const last = Math.max(lost.deliveries, 1)
  if (!attempts.has(last)) {
    const step = progress?.attempt === last && progress.step !== undefined ? ` (last heard of while ${progress.step})` : ''
    attempts.set(last, { attempt: last, at: lost.noticedAt, error: `no acknowledgement and no error from the worker${step}` })
  }
  return [...attempts.values()].sort((a, b) => a.attempt - b.attempt)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const textOf = (body: Uint8Array): { readonly body: string; readonly bodyBase64?: true } => {
  try {
    return { body: utf8.decode(body) }
  } catch {
    return { body: Buffer.from(body).toString('base64'), bodyBase64: true }
  }
}

/** For a run that ended without anybody saying so; undefined when the message does not tell whose run it was. */
export const deadResultOf = (lost: Lost, status: Status | undefined): RunResult | undefined => {
  const item = itemOf(lost)
  if (item === undefined) return undefined
  const trace = parseTraceparent(lost.original.headers[headerNames.traceparent])
  return {
    conn: item.conn,
    run: item.run,
    outcome: 'dead',
    cause: item.cause,
    startedAt: status?.running?.run === item.run ? status.running.since : Math.min(lost.original.storedAt, lost.noticedAt),
    finishedAt: lost.noticedAt,
    attempt: Math.max(lost.deliveries, 1),
    quiet: false,
    fence: 0,
    flows: [],
    lane: item.lane,
    askedAt: item.askedAt,
    reason: lost.why,
    error: { is: 'unavailable', message: lost.why, mend: `look at the dead letter with \`syncline dlq ls ${item.conn}\`, then redrive it` },
    ...(item.slot === undefined ? {} : { slot: item.slot }),
    ...(item.requestSeq === undefined ? {} : { requestSeq: item.requestSeq }),
    ...(trace === undefined ? {} : { traceId: trace.traceId }),
  }
}

/** For a message that cannot be decoded: kept whole with the decoder's report, instead of lost (DESIGN §4). */
export const unreadableLetter = (heard: Omit<Stored, 'storedAt'> & { readonly stream: string }, codec: string, report: ReadonlyArray<string>, now: number): DeadLetter => ({
  conn: connectionInSubject(heard.subject),
  stream: heard.stream,
  seq: heard.seq,
  ...textOf(heard.body),
  headers: { ...heard.headers },
  attempts: [{ attempt: 1, at: now, error: report.join('; ') }],
  at: now,
  why: `it is not a ${codec}`,
  writtenBy: 'tracker',
})
