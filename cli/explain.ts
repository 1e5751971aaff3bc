/**
 * Decides what is to be said to "why did this not sync?": the verdict in one line, what supports it, and what to do.
 * Pure: the facts were read before.
 */
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { Slot } from '#libs/domain/slots.ts'
import { agoText, isoText, spanText } from './render.ts'
import { errorText } from './show-result.ts'

export type Facts = {
  readonly connection: Connection
  /** ms since the epoch. */
  readonly appliedAt: number
  readonly status: Status | undefined
  /** Newest first, skips too. */
  readonly results: ReadonlyArray<RunResult>
  readonly queued: (WorkItem & { readonly storedAt: number }) | undefined
  /** A request that waits in the mailbox for a time, or for the run that is going. */
  readonly waiting: { readonly storedAt: number; readonly notBefore: number | undefined; readonly reason: string | undefined } | undefined
  readonly scheduler: 'answers' | 'silent' | 'not asked'
  /** Workers that wait for work on the connection's lane; undefined = cannot be told. */
  readonly idleWorkers: number | undefined
  readonly next: ReadonlyArray<Slot>
}

export type Explanation = { readonly verdict: string; readonly because: ReadonlyArray<string>; readonly todo: ReadonlyArray<string> }

export const explain = (facts: Facts, now: number): Explanation => {
  const { connection: { id }, status } = facts
  const found = judge(facts, now)
  const because = [...found.because]
  if (status?.lastSkip !== undefined && (status.lastSyncAt ?? 0) < status.lastSkip.at) because.push(`last skipped ${agoText(status.lastSkip.at, now)}: ${status.lastSkip.reason}`)
  if ((status?.parked ?? 0) > 0) because.push(`${status?.parked} records are set aside; syncline dlq ls ${id} --type parked-record tells why`)
  if (facts.scheduler === 'silent') because.push('no scheduler answers: nothing falls due')
  if (facts.idleWorkers === 0 && facts.queued !== undefined) because.push('no worker is waiting for work on its lane: all are busy, or none runs')
  return { verdict: found.verdict, because, todo: [...new Set([...found.todo, ...common(facts)])] }
}

const common = (facts: Facts): ReadonlyArray<string> => [
  ...(facts.scheduler === 'silent' ? ['start a scheduler: npm run start:scheduler'] : []),
  ...(facts.idleWorkers === 0 && facts.queued !== undefined ? ['look at the workers: syncline doctor'] : []),
]

const judge = (facts: Facts, now: number): Explanation => {
  const { connection: { id, paused, hold, schedule }, status, queued, waiting, results } = facts
  const running = status?.running
  const last = status?.lastRun
  if (paused === true) return { verdict: 'it is paused', because: ['every slot is skipped until it is resumed'], todo: [`syncline resume ${id}`] }
  if (running?.state === 'in-progress') {
    const step = running.progress?.step === undefined ? '' : `, ${running.progress.step}${running.progress.flow === undefined ? '' : ` in flow ${running.progress.flow}`}`
    return { verdict: `it is syncing now, since ${spanText(now - running.since)}${step}`, because: [`run ${running.run}`], todo: [`wait for it: syncline sync ${id} --wait`] }
  }
  if (running?.state === 'retrying') {
    const next = running.nextAttemptAt ?? running.progress?.nextAttemptAt
    return {
      verdict: `its last attempt failed, and the next comes ${next === undefined ? 'soon' : agoText(next, now)}`,
      because: [running.progress?.error ?? 'the reason was not told', `run ${running.run}${running.progress === undefined ? '' : `, attempt ${running.progress.attempt}`}`], todo: [`syncline cancel ${id} ends the attempts`],
    }
  }
  if (waiting?.notBefore !== undefined && waiting.notBefore > now) {
    return { verdict: `it was put off and comes ${agoText(waiting.notBefore, now)}`, because: [waiting.reason ?? 'the request names no reason'], todo: [`syncline sync ${id} asks for a run now`] }
  }
  if (queued !== undefined) return { verdict: `it is queued since ${spanText(now - queued.storedAt)} and no worker has taken it yet`, because: [`run ${queued.run}, because of ${queued.cause}`], todo: [] }
  if (last === undefined) return neverRan(facts, now)
  if (last.outcome === 'held' && hold !== undefined && (status?.held === undefined || status.held.by === 'person')) {
    return {
      verdict: `it is held${hold.by === undefined ? '' : ` by ${hold.by}`}: runs plan, and write nothing`, because: [`since ${agoText(hold.at, now)}${hold.reason === undefined ? '' : `: ${hold.reason}`}`],
      todo: [`syncline plan ${id} shows what waits`, ...(status?.held === undefined ? [] : [`syncline approve ${id} ${status.held.plan} lets exactly this plan run`]), `syncline release ${id} lets everything run`],
    }
  }
  if (last.outcome === 'held') {
    const by = status?.held === undefined ? [] : [`the guard ${status.held.by} stopped flow ${status.held.flow}, plan ${status.held.plan}`]
    return { verdict: `a guard held its last run ${agoText(last.finishedAt, now)}, before it wrote anything`, because: by, todo: [`syncline plan ${id} shows what it would do`, ...(status?.held === undefined ? [] : [`syncline approve ${id} ${status.held.plan} lets exactly this plan run`])] }
  }
  if (last.outcome === 'failed' || last.outcome === 'dead' || last.error !== undefined) {
    return {
      verdict: `its last run ended as ${last.outcome} ${agoText(last.finishedAt, now)}`,
      because: [last.error ?? errorOf(results, last.run) ?? 'the reason was not told'],
      todo: [...(last.mend === undefined ? [] : [last.mend]), ...(last.outcome === 'dead' ? [`syncline dlq ls ${id}`] : []), `then: syncline sync ${id} --wait`],
    }
  }
  if (last.outcome === 'cancelled') return { verdict: `its last run was cancelled ${agoText(last.finishedAt, now)}`, because: reasonOf(results, last.run), todo: [`syncline sync ${id}`] }
  const healthy = `it did sync: its last run ended as ${last.outcome} ${agoText(last.finishedAt, now)}`
  const quiet = status?.lastQuietAt === undefined ? [] : [`the last look that found nothing to do was ${agoText(status.lastQuietAt, now)}`]
  const when = schedule.kind === 'manual' ? ['its schedule is manual: it runs only when it is asked to'] : nextLine(facts, now)
  return { verdict: healthy, because: [...quiet, ...when], todo: [`if a change is missing, list everything again: syncline sync ${id} --full --wait`] }
}

const neverRan = (facts: Facts, now: number): Explanation => {
  const { connection: { id, schedule }, appliedAt, results } = facts
  const skips = results[0]?.reason === undefined ? [] : [`the last thing heard of it: ${results[0].outcome}, ${results[0].reason}`]
  if (schedule.kind === 'manual') return { verdict: 'it has never run: its schedule is manual, and nobody has asked', because: skips, todo: [`syncline sync ${id} --wait`] }
  return { verdict: `it has never run; it was applied ${agoText(appliedAt, now)}`, because: [...skips, ...nextLine(facts, now)], todo: [`syncline sync ${id} --wait`] }
}

const nextLine = ({ next }: Facts, now: number): ReadonlyArray<string> =>
  next[0] === undefined ? ['its schedule has no slot to come'] : [`its next slot is due ${agoText(next[0].due, now)} (${isoText(next[0].due)})`]

const errorOf = (results: ReadonlyArray<RunResult>, run: string): string | undefined => {
  const result = results.find((one) => one.run === run)
  return result === undefined ? undefined : errorText(result)
}

const reasonOf = (results: ReadonlyArray<RunResult>, run: string): ReadonlyArray<string> => results.find((one) => one.run === run)?.reason?.split('\n') ?? []
