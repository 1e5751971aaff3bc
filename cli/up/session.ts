/**
 * Knows what has happened since `syncline up` began, and which results are news to the person who watches. Does not know
 * how it is shown: words.ts does.
 */
import type { Counts, RunResult } from '#libs/contracts/result.ts'

export type News =
  /** The first run that ended since the start; `isFirstSync`: of the connection's life. */
  | { readonly is: 'began'; readonly result: RunResult; readonly isFirstSync: boolean }
  /** Something was carried over after a time of quiet. A connection that always has news is counted instead. */
  | { readonly is: 'change'; readonly result: RunResult }
  /** Not as it should be, and not what was told last. */
  | { readonly is: 'trouble'; readonly result: RunResult; readonly why: string; readonly mend?: string }
  | { readonly is: 'recovered'; readonly result: RunResult }

export type Latest = { readonly conn: string; readonly moved: number; readonly at: number }

export type Totals = {
  readonly runs: number
  readonly quiet: number
  readonly troubled: number
  /** Creates, updates and deletes on any side. */
  readonly moved: number
  readonly latest?: Latest
}

/** `isCalm`: worth a line when something moves. */
type Known = { isCalm: boolean; quietRuns: number; movedRuns: number; trouble: string | undefined }

/** A connection is calm after so many quiet runs in a row, and busy after so many that moved something in between. */
const calmAfter = 2
const busyAfter = 5

export const makeSession = () => {
  const known = new Map<string, Known>()
  const totals = { runs: 0, quiet: 0, troubled: 0, moved: 0 }
  let latest: Latest | undefined

  const hear = (result: RunResult): News | undefined => {
    if (result.outcome === 'skipped' || result.dryRun === true) return undefined
    const moved = movedBy(sumOf(result))
    const trouble = troubleOf(result)
    totals.runs += 1
    totals.moved += moved
    if (result.quiet) totals.quiet += 1
    if (trouble !== undefined) totals.troubled += 1
    if (moved > 0) latest = { conn: result.conn, moved, at: result.finishedAt }
    const before = known.get(result.conn)
    const sameness = trouble?.why.replace(/\d+/g, '#') // the same trouble may count something
    known.set(result.conn, { ...paceAfter(before, moved > 0), trouble: sameness })
    if (trouble !== undefined) return before?.trouble === sameness ? undefined : { is: 'trouble', result, ...trouble }
    if (before === undefined) return { is: 'began', result, isFirstSync: result.flows.some((flow) => flow.phase === 'first') }
    if (before.trouble !== undefined) return { is: 'recovered', result }
    return before.isCalm && moved > 0 ? { is: 'change', result } : undefined
  }

  return {
    hear,
    /** Connections that have come to an end at least once, well or not. */
    heard: (): ReadonlySet<string> => new Set(known.keys()),
    totals: (): Totals => ({ ...totals, ...(latest === undefined ? {} : { latest }) }),
  }
}

const paceAfter = (before: Known | undefined, hasMoved: boolean): Omit<Known, 'trouble'> => {
  const { isCalm, quietRuns, movedRuns } = before ?? { isCalm: false, quietRuns: 0, movedRuns: 0 }
  if (hasMoved) return { isCalm: isCalm && movedRuns + 1 < busyAfter, quietRuns: 0, movedRuns: movedRuns + 1 }
  return quietRuns + 1 >= calmAfter ? { isCalm: true, quietRuns: quietRuns + 1, movedRuns: 0 } : { isCalm, quietRuns: quietRuns + 1, movedRuns }
}

const noCounts: Counts = { read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 }
const countNames = Object.keys(noCounts) as ReadonlyArray<keyof Counts>

export const sumOf = (result: RunResult): Counts => {
  const sum = { ...noCounts }
  for (const { counts } of result.flows) for (const name of countNames) sum[name] += counts[name]
  return sum
}

export const movedBy = ({ created, updated, deleted }: Counts): number => created + updated + deleted

const troubleOf = (result: RunResult): { readonly why: string; readonly mend?: string } | undefined => {
  const error = result.error ?? result.flows.find((flow) => flow.error !== undefined)?.error
  if (error !== undefined) return { why: error.message, ...(error.mend === undefined ? {} : { mend: error.mend }) }
  switch (result.outcome) {
    case 'failed':
    case 'dead':
      return { why: result.reason ?? `the run ended as ${result.outcome}` }
    case 'held':
      return { why: result.reason ?? 'a guard holds the run', mend: `look at it: npx syncline status ${result.conn}` }
    case 'partial': {
      const parked = sumOf(result).parked
      return parked === 0 ? undefined : { why: `${parked} set aside`, mend: 'npx syncline dlq ls says which and why' }
    }
    case 'succeeded':
    case 'cancelled':
    case 'skipped':
      return undefined
  }
}
