/** Knows a connection's running totals and which runs are in them. Does not know the status or the history. */
import type { Counts, RunResult } from '#libs/contracts/result.ts'
import type { QuietRun, Stats } from '#libs/contracts/status.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { addCounts, countsOf, noCounts } from './told.ts'

/** How far out of order a result may come and still be counted once: 32 runs of one connection, about 900 bytes. */
export const rememberedRuns = 32

/** Answers the very same tally when the run is in it already, or is a dry run. */
export const count = (known: Stats | undefined, result: RunResult): Stats => {
  if (result.dryRun === true) return known ?? nothingYet(result.conn, result.startedAt)
  const { outcome, quiet, startedAt, finishedAt } = result
  return add(known, result.conn, { name: nameOf(result), outcome, quiet, startedAt, finishedAt, counts: countsOf(result) })
}

/** With the quiet runs that wait in the status. */
export const countQuiet = (known: Stats | undefined, conn: ConnectionId, waiting: ReadonlyArray<QuietRun>): Stats | undefined =>
  waiting.reduce<Stats | undefined>((tally, { run, read, unchanged, ...times }) =>
    add(tally, conn, { name: run, outcome: 'succeeded', quiet: true, ...times, counts: { ...noCounts, read, unchanged } }), known)

/** Undefined for a run that has to be counted at once. */
export const quietRunOf = (result: RunResult): QuietRun | undefined => {
  if (!result.quiet || result.outcome !== 'succeeded' || result.dryRun === true) return undefined
  const { read, unchanged } = countsOf(result)
  return { run: result.run, startedAt: result.startedAt, finishedAt: result.finishedAt, read, unchanged }
}

type Counted = Pick<RunResult, 'outcome' | 'quiet' | 'startedAt' | 'finishedAt'> & { readonly name: string; readonly counts: Counts }

const add = (known: Stats | undefined, conn: ConnectionId, { name, outcome, quiet, startedAt, finishedAt, counts }: Counted): Stats => {
  const before = known ?? nothingYet(conn, startedAt)
  const counted = before.counted ?? []
  if (counted.includes(name)) return before
  const ran = outcome !== 'skipped'
  return {
    conn: before.conn,
    runs: { ...before.runs, [outcome]: (before.runs[outcome] ?? 0) + 1 },
    quietRuns: before.quietRuns + (quiet && ran ? 1 : 0),
    totals: !ran ? before.totals : addCounts(before.totals, counts),
    durationMsSum: before.durationMsSum + (ran ? Math.max(0, finishedAt - startedAt) : 0),
    since: Math.min(before.since, startedAt),
    updatedAt: Math.max(before.updatedAt, finishedAt),
    counted: [...counted.slice(1 - rememberedRuns), name],
  }
}

/** A skipped slot need not have a run of its own. */
const nameOf = (result: RunResult): string =>
  result.outcome === 'skipped' ? `${result.run}/${result.slot ?? result.finishedAt}` : result.run

export const nothingYet = (conn: ConnectionId, since: number): Stats => ({
  conn, runs: {}, quietRuns: 0, totals: noCounts, durationMsSum: 0, since, updatedAt: since,
})
