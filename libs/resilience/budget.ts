/**
 * Knows how the calls an account may make are shared out: a steady rate (GCRA), a number per window, and the silence a
 * provider asks for (SYNC.md §1.9). Pure; a step that changes nothing answers the very budget it was given.
 */
import type { Pace, ProviderState, Window } from '../contracts/provider-state.ts'
import type { Limits } from './rate-headers.ts'

export type Budget = Omit<ProviderState, 'breaker'>

/** Up to here calls are spread evenly; a longer window is spent as needed until nothing is left. */
const longestPacedMs = 60_000
/** Reset times of one window, told by several answers, differ by rounding and by the way. */
const sameResetMs = 2_000
const unknownWindowMs = 60_000
const userMs = 60_000

/** What answers tell of limits. Of no consequence is what would change less than a tenth of the limit: that spares writes. */
export const learn = <B extends Budget>(budget: B, told: Limits, now: number): B => {
  const { limit, remaining, resetInMs, windowMs } = told
  if (limit !== undefined && limit > 0 && windowMs !== undefined && windowMs > 0 && windowMs <= longestPacedMs) {
    const pace = paceOf(limit, windowMs)
    const isKnown = budget.pace?.everyMs === pace.everyMs && budget.pace.burst === pace.burst
    if (!isKnown) return { ...budget, pace: { ...pace, tat: budget.pace?.tat ?? 0 } }
  }
  if (budget.pace !== undefined || remaining === undefined || resetInMs === undefined) return budget
  const window = budget.window
  const fresh: Window = {
    limit: Math.max(limit ?? window?.limit ?? remaining, remaining), left: remaining, resetAt: now + resetInMs,
    windowMs: Math.max(windowMs ?? 0, resetInMs, window?.guessed === true ? 0 : (window?.windowMs ?? 0)),
  }
  if (window === undefined || window.resetAt <= now) return { ...budget, window: fresh }
  // An answer that was long under way speaks of a window that is over
  if (window.guessed !== true && fresh.resetAt < window.resetAt - sameResetMs) return budget
  if (remaining < window.left) return { ...budget, window: fresh }
  const isNews = window.guessed === true || fresh.resetAt > window.resetAt + sameResetMs
  return isNews && remaining - window.left > fresh.limit / 10 ? { ...budget, window: fresh } : budget
}

/** On the way calls move closer together: a twentieth of the window is kept for that. */
const onTheWay = 1.05

/** In no window of `windowMs` more than `limit` calls: what may come at once is taken off the steady rate. */
const paceOf = (limit: number, windowMs: number): Omit<Pace, 'tat'> => {
  const burst = Math.max(1, Math.floor(limit / 10))
  return { burst, everyMs: (onTheWay * windowMs) / Math.max(1, limit - burst) }
}

/**
 * The provider refused a call for its rate. `notBefore`: when it will listen again, if it said so. One that goes on refusing
 * is left alone for longer each time; calls that were under way together are refused together and count once.
 */
export const refuse = <B extends Budget>(budget: B, notBefore: number | undefined, now: number): B => {
  const refusals = budget.refusals ?? 0
  const pausedUntil = budget.pausedUntil ?? 0
  if (pausedUntil > now) return notBefore === undefined || notBefore <= pausedUntil ? budget : { ...budget, pausedUntil: notBefore }
  const least = notBefore === undefined ? 60_000 * 2 ** refusals : refusals === 0 ? 0 : Math.min(15 * 60_000, 1_000 * 2 ** refusals)
  return { ...budget, refusals: Math.min(refusals + 1, 20), pausedUntil: Math.max(notBefore ?? 0, now + Math.min(24 * 3_600_000, least)) }
}

/** A call went well after a pause: the next refusal is the first again. */
export const calmed = <B extends Budget>(budget: B, now: number): B => {
  if (budget.pausedUntil === undefined || budget.pausedUntil > now) return budget
  const { pausedUntil: _over, refusals: _forgotten, ...rest } = budget
  return rest as B
}

export const isLimited = ({ pace, window }: Budget): boolean => pace !== undefined || window !== undefined

/** Times at which the calls may be made, the first of them perhaps in a moment; or when to ask again. */
export type Share = { readonly is: 'calls'; readonly at: ReadonlyArray<number> } | { readonly is: 'wait'; readonly until: number }

/**
 * Nobody reserves further ahead than this, nor more than a tenth of what is left of a window: the others have their turn,
 * and what a dying worker had reserved is soon over.
 */
const aheadMs = 250

export const reserve = <B extends Budget>(budget: B, wanted: number, worker: string, now: number): readonly [next: B, share: Share] => {
  const pausedUntil = budget.pausedUntil ?? 0
  if (pausedUntil > now) return [budget, { is: 'wait', until: pausedUntil }]
  const users = recent({ ...budget.users, [worker]: now }, now)
  if (budget.pace !== undefined) {
    const { everyMs, burst } = budget.pace
    const at: Array<number> = []
    let tat = Math.max(budget.pace.tat, now)
    for (; at.length < wanted; tat += everyMs) {
      const due = Math.max(now, tat - (burst - 1) * everyMs)
      if (due > now + aheadMs) break
      at.push(Math.ceil(due))
    }
    if (at.length === 0) return [budget, { is: 'wait', until: tat - (burst - 1) * everyMs - aheadMs }]
    return [{ ...budget, users, pace: { ...budget.pace, tat } }, { is: 'calls', at }]
  }
  if (budget.window === undefined) return [budget, { is: 'calls', at: Array.from({ length: wanted }, () => now) }]
  const window = budget.window.resetAt > now ? budget.window : renewed(budget.window, now)
  const count = Math.min(wanted, Math.max(1, Math.floor(window.left / 10)), window.left)
  if (count <= 0) return [budget, { is: 'wait', until: window.resetAt }]
  return [{ ...budget, users, window: { ...window, left: window.left - count } }, { is: 'calls', at: Array.from({ length: count }, () => now) }]
}

/** The window is over and nobody has told of the next: it is taken to be as long as the longest that was told. */
const renewed = ({ limit, windowMs }: Window, now: number): Window =>
  ({ limit, left: limit, windowMs, resetAt: now + (windowMs > 0 ? windowMs : unknownWindowMs), guessed: true })

const recent = (users: Readonly<Record<string, number>>, now: number): Record<string, number> =>
  Object.fromEntries(Object.entries(users).filter(([, at]) => at > now - userMs))

/** What one worker may take by itself while nobody can be asked: its equal part, with all that is known to be out already. */
export const ownShare = <B extends Budget>(budget: B, now: number): B => {
  const workers = Math.max(1, Object.keys(recent(budget.users ?? {}, now)).length)
  return {
    ...budget,
    ...(budget.pace === undefined ? {} : { pace: { everyMs: budget.pace.everyMs * workers, burst: Math.max(1, Math.floor(budget.pace.burst / workers)), tat: Math.max(budget.pace.tat, now) } }),
    ...(budget.window === undefined ? {} : { window: { ...budget.window, limit: Math.floor(budget.window.limit / workers), left: Math.floor(budget.window.left / workers) } }),
  }
}
