/** Knows the shape of the statistics (R 10.6) and how those of many connections add up. Does not know where they are kept. */
import type { Counts } from '#libs/contracts/result.ts'
import type { Stats, Status } from '#libs/contracts/status.ts'
import type { ConnectionState } from '#libs/domain/states.ts'
import { stateOf } from './state-of.ts'
import { timeText } from './present.ts'
import { countQuiet } from './tally.ts'
import { addCounts, noCounts } from './told.ts'

export type Sums = {
  links: number
  parked: number
  deleted: number
  runs: Record<string, number>
  quietRuns: number
  counts: Counts
  durationMsSum: number
  lastSyncAt: number | undefined
  hasSyncToken: boolean
  /** The state that most needs a person, and the error that goes with it. */
  worst: ConnectionState | undefined
  error: string | undefined
}

export const noSums = (): Sums => ({
  links: 0, parked: 0, deleted: 0, runs: {}, quietRuns: 0, counts: noCounts, durationMsSum: 0,
  lastSyncAt: undefined, hasSyncToken: false, worst: undefined, error: undefined,
})

/** From what a person should see first to what needs nobody. */
const urgency: ReadonlyArray<ConnectionState> = ['error', 'held', 'syncing', 'paused', 'never_synced', 'idle']

/** Adds in place: there may be a million of them. The quiet runs that wait in a status are added as if they were counted. */
export const addStatus = (sums: Sums, status: Status, paused: boolean): void => {
  const state = stateOf(status, paused)
  sums.links += status.links ?? 0
  sums.parked += status.parked
  sums.hasSyncToken ||= status.hasSyncToken
  if (status.lastSyncAt !== undefined) sums.lastSyncAt = Math.max(sums.lastSyncAt ?? 0, status.lastSyncAt)
  if (sums.worst === undefined || urgency.indexOf(state) < urgency.indexOf(sums.worst)) {
    sums.worst = state
    sums.error = status.lastRun?.error
  }
  const waiting = countQuiet(undefined, status.conn, status.uncounted ?? [])
  if (waiting !== undefined) addTally(sums, waiting)
}

export const addTally = (sums: Sums, tally: Stats): void => {
  sums.deleted += tally.totals.deleted
  for (const [outcome, runs] of Object.entries(tally.runs)) sums.runs[outcome] = (sums.runs[outcome] ?? 0) + runs
  sums.quietRuns += tally.quietRuns
  sums.counts = addCounts(sums.counts, tally.totals)
  sums.durationMsSum += tally.durationMsSum
}

const everyOutcome = { succeeded: 0, partial: 0, failed: 0, dead: 0, cancelled: 0, skipped: 0, held: 0 }

export const shownSums = (sums: Sums) => {
  const runs: Readonly<Record<string, number>> = { ...everyOutcome, ...sums.runs }
  const ran = Object.entries(runs).reduce((sum, [outcome, n]) => (outcome === 'skipped' ? sum : sum + n), 0)
  return {
    items: { total: sums.links + sums.deleted, active: sums.links, deleted: sums.deleted, parked: sums.parked },
    sync: {
      last_sync_at: timeText(sums.lastSyncAt),
      status: sums.worst ?? 'never_synced',
      has_sync_token: sums.hasSyncToken,
      error_message: sums.error ?? null,
    },
    runs,
    quiet_runs: sums.quietRuns,
    changes: sums.counts,
    average_duration_ms: ran === 0 ? null : Math.round(sums.durationMsSum / ran),
  }
}
