/** Knows results as a worker would say them, for those who listen. */
import type { Counts, FlowResult, RunResult } from '#libs/contracts/result.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'

const noCounts: Counts = { read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 }

type Some = Partial<Omit<RunResult, 'conn' | 'flows'>> & { readonly conn?: string; readonly counts?: Partial<Counts>; readonly phase?: FlowResult['phase']; readonly links?: number }

export const run = ({ conn = 'contacts', counts = {}, phase = 'delta', links = 10, ...others }: Some = {}): RunResult => ({
  conn: conn as ConnectionId, run: 'r', outcome: 'succeeded', cause: 'tick', startedAt: 0, finishedAt: 41, attempt: 1, quiet: false, fence: 1,
  flows: [{ flow: 'main' as FlowId, outcome: 'succeeded', phase, counts: { ...noCounts, ...counts }, durationMs: 40, links }],
  ...others,
})

export const quietRun = (conn = 'contacts'): RunResult => run({ conn, quiet: true })

export const failedRun = (message: string): RunResult => run({ outcome: 'failed', error: { is: 'needs-person', message, mend: 'make it' } })
