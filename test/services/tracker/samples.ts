/** Knows how tests make results, progress and whatever else the tracker hears. */
import { noCounts } from '../../../services/tracker/told.ts'
import type { Progress } from '#libs/contracts/progress.ts'
import type { FlowResult, RunResult } from '#libs/contracts/result.ts'
import type { ConnectionId, FlowId, RunId } from '#libs/domain/ids.ts'

export const conn = (id = 'contacts') => id as ConnectionId
export const flowId = (id = 'main') => id as FlowId

/** A ULID that sorts by `n`. */
export const runId = (n: number) => `01ARZ3NDEKTSV4RRFFQ${n.toString().padStart(7, '0')}` as RunId

export const flow = (change: Partial<FlowResult> = {}): FlowResult => ({
  flow: flowId(), outcome: 'succeeded', phase: 'delta', counts: noCounts, durationMs: 5, ...change,
})

/** The nth run of a connection: ten seconds each, one after the other, fence 10 × n. */
export const result = (n: number, change: Partial<RunResult> = {}): RunResult => ({
  conn: conn(), run: runId(n), outcome: 'succeeded', cause: 'tick', startedAt: n * 10_000, finishedAt: n * 10_000 + 5_000,
  attempt: 1, quiet: false, fence: n * 10, flows: [flow()], ...change,
})

export const quiet = (n: number, change: Partial<RunResult> = {}): RunResult => result(n, { quiet: true, ...change })

export const skipped = (n: number, change: Partial<RunResult> = {}): RunResult =>
  result(n, { outcome: 'skipped', fence: 0, flows: [], startedAt: n * 10_000, finishedAt: n * 10_000, reason: 'busy', slot: n * 10_000, quiet: true, ...change })

export const progress = (n: number, change: Partial<Progress> = {}): Progress => ({
  conn: conn(), run: runId(n), state: 'in-progress', attempt: 1, at: n * 10_000 + 2_000, startedAt: n * 10_000, ...change,
})
