/**
 * Knows how a connection's status follows from the results of its runs (REQUIREMENTS §17), whatever order they come in.
 * Does not know where any of it is kept; history and statistics have their own guard against repeats.
 */
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import { settled, unheardOf } from './state-of.ts'
import { failureOf } from './told.ts'

/**
 * `new`: it moves the status. `seen`: this run, or an earlier one that arrives late; history and statistics still make
 * sure that they have it. `stale`: said by a worker that had lost its lease; nobody counts it.
 */
export type Standing = 'new' | 'seen' | 'stale'
export type Folded = { readonly status: Status; readonly standing: Standing; readonly regress: boolean }

export const foldResult = (known: Status | undefined, result: RunResult, paused: boolean): Folded => {
  const before = known ?? unheardOf(result.conn)
  if (result.outcome === 'skipped') return foldSkip(before, result, paused)
  const { standing, regress } = standingOf(before, result)
  // The highest fence is kept whatever becomes of the result: workers compare theirs with it (SYNC.md §A.5 step 2)
  const fence = standing === 'stale' ? before.fence : Math.max(before.fence, result.fence)
  if (standing !== 'new') {
    const status = known === undefined || fence !== before.fence ? { ...before, fence } : before
    return { status, standing, regress }
  }
  const after = result.dryRun === true ? afterDryRun(before, result) : afterRun(before, result, regress)
  return { status: settled({ ...after, fence }, paused), standing, regress }
}

/** A result that was never under a lease (fence 0) is placed by its times, every other one by its fence. */
const standingOf = (before: Status, result: RunResult): { standing: Standing; regress: boolean } => {
  const last = before.lastRun
  const known = (standing: Standing) => ({ standing, regress: false })
  if (last?.run === result.run) return known('seen')
  if (result.fence === 0) return known(last !== undefined && result.finishedAt < last.finishedAt ? 'seen' : 'new')
  if (result.fence > before.fence) return known('new')
  // A dry run leaves no mark in lastRun; whether it was heard before, its history entry tells
  if (result.dryRun === true) return known('seen')
  if (last === undefined || result.finishedAt <= last.startedAt) return known('seen')
  // It began after the last run had ended, yet its lease revision is not higher: the lease store went back in time
  if (result.startedAt >= last.finishedAt) return { standing: 'new', regress: true }
  return known('stale')
}

/** Not started, so nothing changes but the note why. A later note was heard already: this one is old or repeated. */
const foldSkip = (before: Status, result: RunResult, paused: boolean): Folded => {
  if (before.lastSkip !== undefined && before.lastSkip.at >= result.finishedAt) {
    return { status: before, standing: 'seen', regress: false }
  }
  const { running, ...kept } = before
  const lastSkip = { at: result.finishedAt, reason: result.reason ?? 'no reason given' }
  const after = { ...(running?.run === result.run ? kept : before), lastSkip, updatedAt: result.finishedAt }
  return { status: settled(after, paused), standing: 'new', regress: false }
}

const afterRun = (before: Status, result: RunResult, regress: boolean): Status => {
  const failure = regress
    ? { message: `its lease revision ${result.fence} is not above ${before.fence}, the highest seen: the lease store went back in time`, mend: 'restore sync_state with revisions above the highest seen, see docs/operating.md' }
    : failureOf(result)
  const { held: heldBefore, lastSyncAt, lastQuietAt, links, ...kept } = withoutRunning(before, result)
  // A reset and an undo bring nothing into step
  const isSync = result.asked?.what !== 'reset' && result.asked?.what !== 'undo'
  const whole = isSync && (result.outcome === 'succeeded' || result.outcome === 'partial')
  const syncedAt = whole ? result.finishedAt : lastSyncAt
  const quietAt = result.quiet ? result.finishedAt : lastQuietAt
  const held = heldAfter(heldBefore, result)
  const linked = sumOf(result.flows.map((flow) => flow.links)) ?? links
  return {
    ...kept,
    lastRun: {
      run: result.run, outcome: result.outcome, startedAt: result.startedAt, finishedAt: result.finishedAt,
      ...(failure === undefined ? {} : { error: failure.message }),
      ...(failure?.mend === undefined ? {} : { mend: failure.mend }),
    },
    parked: parkedAfter(before.parked, result),
    hasSyncToken: tokenAfter(before.hasSyncToken, result),
    updatedAt: result.finishedAt,
    ...(syncedAt === undefined ? {} : { lastSyncAt: syncedAt }),
    ...(quietAt === undefined ? {} : { lastQuietAt: quietAt }),
    ...(held === undefined ? {} : { held }),
    ...(linked === undefined ? {} : { links: linked }),
  }
}

/** Nothing was written, so nothing of the connection has changed. */
const afterDryRun = (before: Status, result: RunResult): Status => ({ ...withoutRunning(before, result), updatedAt: result.finishedAt })

/** Only this run's mark, or one that an older run left behind, is taken away: the next run may be going already. */
const withoutRunning = (before: Status, result: RunResult): Status => {
  const { running, ...kept } = before
  return running === undefined || running.run === result.run || running.since < result.startedAt ? kept : before
}

/** A plan that waits for a person outlives runs that failed before they could plan again. */
const heldAfter = (before: Status['held'], result: RunResult): Status['held'] => {
  const flow = result.flows.find((one) => one.outcome === 'held')
  if (flow !== undefined) return { run: result.run, flow: flow.flow, by: flow.heldBy ?? result.reason ?? 'a guard', plan: flow.plan ?? '' }
  return result.outcome === 'failed' || result.outcome === 'dead' ? before : undefined
}

/** A worker that knows says the number; without it a quiet run keeps what was known, and any other says its own. */
const parkedAfter = (before: number, result: RunResult): number =>
  sumOf(result.flows.map((flow) => flow.parkedNow)) ??
  (result.quiet || result.flows.length === 0 ? before : result.flows.reduce((sum, flow) => sum + flow.counts.parked, 0))

const tokenAfter = (before: boolean, result: RunResult): boolean => {
  const told = result.flows.filter((flow) => flow.cursorAfter !== undefined)
  return told.length === 0 ? before : told.some((flow) => flow.cursorAfter !== null)
}

/** undefined unless every flow tells: a sum over some of them would look like a loss. */
const sumOf = (numbers: ReadonlyArray<number | undefined>): number | undefined => {
  let sum = 0
  for (const one of numbers) {
    if (one === undefined) return undefined
    sum += one
  }
  return numbers.length === 0 ? undefined : sum
}
