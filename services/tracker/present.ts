/** Knows how status, history and dead letters look to the outside: names in snake_case, times as RFC 3339. Does not know who asks. */
import { decode } from '#libs/contracts/decode.ts'
import { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import type { HistoryEntry, Status } from '#libs/contracts/status.ts'
import { connectionInSubject, headerNames } from '#libs/contracts/subjects.ts'
import type { Listed } from './directory.ts'
import { stateOf, unheardOf } from './state-of.ts'
import type { Stored } from './ports.ts'
import { countsOf, failureOf } from './told.ts'
import { wishOf } from './wish.ts'

export const timeText = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

/** R 10.5, and what else there is to know of a run. */
export const shownRun = (entry: HistoryEntry) => ({
  id: entry.run,
  connection: entry.conn,
  status: entry.outcome,
  last_sync_at: timeText(entry.finishedAt),
  has_sync_token: entry.flows.some((flow) => typeof flow.cursorAfter === 'string'),
  error_message: failureOf(entry)?.message ?? null,
  mend: failureOf(entry)?.mend ?? null,
  reason: entry.reason ?? null,
  cause: entry.cause,
  started_at: timeText(entry.startedAt),
  finished_at: timeText(entry.finishedAt),
  duration_ms: entry.finishedAt - entry.startedAt,
  attempt: entry.attempt,
  dry_run: entry.dryRun === true,
  counts: countsOf(entry),
  flows: entry.flows,
  trace_id: entry.traceId ?? null,
})

/** R 10.3, 10.9, 10.10. Whatever is not known yet has its safe default (R 8.14). */
export const shownStatus = ({ id, paused, hold }: Listed, known: Status | undefined) => {
  const status = known ?? unheardOf(id)
  const state = stateOf(status, paused)
  const { lastRun, running } = status
  return {
    id,
    // Held by a person: runs go on, and what they would write waits
    state: hold !== undefined && (state === 'idle' || state === 'never_synced') ? 'held' as const : state,
    is_running: running?.state === 'in-progress',
    paused,
    last_sync_at: timeText(status.lastSyncAt),
    has_sync_token: status.hasSyncToken,
    error_message: lastRun?.error ?? null,
    mend: lastRun?.mend ?? null,
    links: status.links ?? 0,
    parked: status.parked,
    held: status.held ?? null,
    hold: hold === undefined ? null : { since: timeText(hold.at), by: hold.by ?? null, reason: hold.reason ?? null },
    last_run: lastRun === undefined ? null : {
      id: lastRun.run, status: lastRun.outcome, started_at: timeText(lastRun.startedAt), finished_at: timeText(lastRun.finishedAt),
    },
    running: running === undefined ? null : {
      id: running.run, state: running.state, since: timeText(running.since), next_attempt_at: timeText(running.nextAttemptAt),
      attempt: running.progress?.attempt ?? null, flow: running.progress?.flow ?? null, step: running.progress?.step ?? null,
      counts: running.progress?.counts ?? null, error_message: running.progress?.error ?? null,
    },
    last_quiet_at: timeText(status.lastQuietAt),
    last_skip: status.lastSkip === undefined ? null : { at: timeText(status.lastSkip.at), reason: status.lastSkip.reason },
    updated_at: status.updatedAt === 0 ? null : timeText(status.updatedAt),
  }
}

export type Dead =
  | { readonly type: 'dead-letter'; readonly letter: DeadLetter }
  | { readonly type: 'parked-record'; readonly record: ParkedRecord }
  | { readonly type: 'unreadable'; readonly report: ReadonlyArray<string> }

/** Work items given up on and records set aside stand in one stream; the schema header tells them apart. */
export const deadIn = (stored: Stored): Dead => {
  if (stored.headers[headerNames.schema] === ParkedRecord.schema) {
    const record = decode(ParkedRecord, stored.body)
    return record._tag === 'Right' ? { type: 'parked-record', record: record.right } : { type: 'unreadable', report: record.left.report }
  }
  const letter = decode(DeadLetter, stored.body)
  return letter._tag === 'Right' ? { type: 'dead-letter', letter: letter.right } : { type: 'unreadable', report: letter.left.report }
}

/** One line of the list; `shownDead` has the rest. */
export const deadLine = (stored: Stored) => {
  const dead = deadIn(stored)
  const line = { seq: stored.seq, connection: connectionInSubject(stored.subject), type: dead.type, stored_at: timeText(stored.storedAt) }
  switch (dead.type) {
    case 'dead-letter':
      return { ...line, why: dead.letter.why, run: dead.letter.run ?? null, attempts: dead.letter.attempts.length, last_error: dead.letter.attempts.at(-1)?.error ?? null, redrive_of: dead.letter.redriveOf ?? null, error_class: dead.letter.error?.is ?? null, error_code: dead.letter.error?.code ?? null, edited: dead.letter.request !== undefined }
    case 'parked-record':
      return { ...line, why: dead.record.why, run: dead.record.run, flow: dead.record.flow, key: dead.record.key, side: dead.record.side, mend: dead.record.mend ?? null, error_class: 'bad-item', error_code: dead.record.code ?? null }
    case 'unreadable':
      return { ...line, why: dead.report.join('; ') }
  }
}

export const shownDead = (stored: Stored) => {
  const dead = deadIn(stored)
  const whole = dead.type === 'dead-letter' ? { letter: dead.letter } : dead.type === 'parked-record' ? { record: dead.record } : { body: Buffer.from(stored.body).toString('utf8') }
  return { ...deadLine(stored), ...whole, request: wishOf(dead), headers: stored.headers }
}
