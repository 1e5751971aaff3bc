/**
 * Said by the sync-worker when a run has ended (and by the scheduler for skipped slots), on
 * `sync.result.<conn>.<outcome>`; heard by the tracker and by whoever subscribes. Holds counts, never content.
 */
import * as t from 'io-ts'
import { ConnectionId, FlowId } from '../domain/ids.ts'
import { SyncFailure } from '../domain/failure.ts'
import { Outcome } from '../domain/states.ts'
import { contract } from './decode.ts'

export const Counts = t.type({
  /** Changes read from both sides. */
  read: t.number,
  created: t.number,
  updated: t.number,
  deleted: t.number,
  /** Both sides agreed already; only the link was written. */
  adopted: t.number,
  unchanged: t.number,
  conflicts: t.number,
  held: t.number,
  parked: t.number,
  /** One-way: items whose copy at the destination was edited or deleted by others and left alone (drift policy `ignore`). */
  drifted: t.number,
})
export type Counts = t.TypeOf<typeof Counts>

export const FlowResult = t.intersection([
  t.type({
    flow: FlowId,
    outcome: t.keyof({ succeeded: null, partial: null, failed: null, held: null, cancelled: null, 'not-run': null }),
    phase: t.keyof({ first: null, delta: null, resync: null }),
    counts: Counts,
    durationMs: t.number,
  }),
  t.partial({
    cursorBefore: t.union([t.string, t.null]),
    cursorAfter: t.union([t.string, t.null]),
    links: t.number,
    /** Records set aside now, over all runs; `counts.parked` are the new ones of this run. */
    parkedNow: t.number,
    error: SyncFailure,
    /** Hash of the plan a guard held, or of a dry run. */
    plan: t.string,
    heldBy: t.string,
    /** Dry run or held: what the flow would do, cut after 500; `movesTotal` counts all. */
    moves: t.array(t.intersection([t.type({ key: t.string, do: t.string }), t.partial({ on: t.string, of: t.string })])),
    movesTotal: t.number,
    warnings: t.array(t.string),
    /** A reset: what is forgotten, or would be in a dry run, and what the next run of the flow does. */
    forgets: t.type({ cursor: t.boolean, links: t.number, parked: t.number, next: t.keyof({ first: null, resync: null }) }),
    /** Rows waiting at the source when the run began, where the connector can tell (R 2.22). */
    backlog: t.number,
  }),
])
export type FlowResult = t.TypeOf<typeof FlowResult>

export const RunResult = contract('result.1', t.intersection([
  t.type({
    conn: ConnectionId,
    run: t.string,
    outcome: Outcome,
    cause: t.keyof({ tick: null, first: null, manual: null, deferral: null, redrive: null }),
    /** ms since the epoch. */
    startedAt: t.number,
    finishedAt: t.number,
    attempt: t.number,
    /** Nothing changed, nothing failed: counted, but not a history entry of its own (DESIGN §6). */
    quiet: t.boolean,
    /** Lease revision of the run: the tracker ignores one lower than the highest seen. 0 = never started. */
    fence: t.number,
    flows: t.array(FlowResult),
  }),
  t.partial({
    slot: t.number,
    lane: t.keyof({ hot: null, cold: null }),
    dryRun: t.boolean,
    error: SyncFailure,
    /** Why it was skipped, cancelled or held. */
    reason: t.string,
    traceId: t.string,
    requestSeq: t.number,
    askedAt: t.number,
    /** What an operator asked for, who, and why. After a `reset` or an `undo` the connection was not synced. */
    asked: t.intersection([t.type({ what: t.keyof({ approve: null, restore: null, reset: null, undo: null }) }), t.partial({ by: t.string, reason: t.string, of: t.string })]),
    worker: t.string,
  }),
]))
export type RunResult = t.TypeOf<typeof RunResult.codec>
