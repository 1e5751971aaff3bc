/** Knows a connection's running totals and which runs are in them. Does not know the status or the history. */
import type { RunResult } from '#libs/contracts/result.ts'
import type { Stats } from '#libs/contracts/status.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { addCounts, countsOf, noCounts } from './told.ts'

/** How far out of order a result may come and still be counted once: 32 runs of one connection, about 900 bytes. */
export const rememberedRuns = 32

/** Answers the very same tally when the run is in it already, or is a dry run. */
export const count = (known: Stats | undefined, result: RunResult): Stats => {
  const before = known ?? nothingYet(result.conn, result.startedAt)
  const counted = before.counted ?? []
  const name = nameOf(result)
  if (counted.includes(name) || result.dryRun === true) return before
  const ran = result.outcome !== 'skipped'
  return {
    conn: before.conn,
    runs: { ...before.runs, [result.outcome]: (before.runs[result.outcome] ?? 0) + 1 },
    quietRuns: before.quietRuns + (result.quiet && ran ? 1 : 0),
    totals: !ran ? before.totals : addCounts(before.totals, countsOf(result)),
    durationMsSum: before.durationMsSum + (ran ? Math.max(0, result.finishedAt - result.startedAt) : 0),
    since: Math.min(before.since, result.startedAt),
    updatedAt: Math.max(before.updatedAt, result.finishedAt),
    counted: [...counted.slice(1 - rememberedRuns), name],
  }
}

/** A skipped slot need not have a run of its own. */
const nameOf = (result: RunResult): string =>
  result.outcome === 'skipped' ? `${result.run}/${result.slot ?? result.finishedAt}` : result.run

export const nothingYet = (conn: ConnectionId, since: number): Stats => ({
  conn, runs: {}, quietRuns: 0, totals: noCounts, durationMsSum: 0, since, updatedAt: since,
})
