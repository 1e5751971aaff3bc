/** Written by the tracker: KV `sync_status`, `sync_history`, `sync_stats`. Times in ms since the epoch. */
import * as t from 'io-ts'
import { ConnectionId } from '../domain/ids.ts'
import { ConnectionState, Outcome, RunState } from '../domain/states.ts'
import { contract } from './decode.ts'
import { Progress } from './progress.ts'
import { Counts, RunResult } from './result.ts'

const LastRun = t.intersection([
  t.type({ run: t.string, outcome: Outcome, startedAt: t.number, finishedAt: t.number }),
  t.partial({ error: t.string, mend: t.string }),
])

/** A run that succeeded and changed nothing; `read` and `unchanged` as in its counts, over its flows. */
const QuietRun = t.type({ run: t.string, startedAt: t.number, finishedAt: t.number, read: t.number, unchanged: t.number })
export type QuietRun = t.TypeOf<typeof QuietRun>

export const Status = contract('status.1', t.intersection([
  t.type({
    conn: ConnectionId,
    state: ConnectionState,
    /** Highest fence seen; a new run whose fence is not above it means FENCE_REGRESS. */
    fence: t.number,
    parked: t.number,
    hasSyncToken: t.boolean,
    updatedAt: t.number,
  }),
  t.partial({
    lastRun: LastRun,
    /** End of the last run that succeeded or was partial. */
    lastSyncAt: t.number,
    lastQuietAt: t.number,
    running: t.intersection([t.type({ run: t.string, state: RunState, since: t.number }), t.partial({ progress: Progress.codec, nextAttemptAt: t.number })]),
    /** Items the two sides agree on, summed over flows. */
    links: t.number,
    held: t.type({ run: t.string, flow: t.string, by: t.string, plan: t.string }),
    lastSkip: t.type({ at: t.number, reason: t.string }),
    /** Quiet runs that the statistics do not hold yet, oldest first: few, because every write of theirs takes them over. */
    uncounted: t.array(QuietRun),
  }),
]))
export type Status = t.TypeOf<typeof Status.codec>

/** One revision per finished run that was not quiet, or was asked for by hand. */
export const HistoryEntry = contract('history-entry.1', RunResult.codec)
export type HistoryEntry = RunResult

/** Up to the last runs: what is quiet waits in the status (`uncounted`) and is added to what stands here. */
export const Stats = contract('stats.1', t.intersection([
  t.type({
    conn: ConnectionId,
    /** Outcome → how many runs ended so. */
    runs: t.record(t.string, t.number),
    quietRuns: t.number,
    totals: Counts,
    durationMsSum: t.number,
    since: t.number,
    updatedAt: t.number,
  }),
  t.partial({
    /**
     * The runs counted last, newest at the end: results come at least once and, over several trackers, not in order, so
     * only a list of names tells a repeated run from a late one.
     */
    counted: t.array(t.string),
  }),
]))
export type Stats = t.TypeOf<typeof Stats.codec>
