import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calmed, learn, ownShare, refuse, reserve, type Budget } from '#libs/resilience/budget.ts'

const hour = 3_600_000
const paced = (limit: number, windowMs: number): Budget => learn({}, { limit, windowMs }, 0)

/** All calls that greedy workers get until `untilMs`, in order. */
const drain = (start: Budget, untilMs: number, stepMs: number, wanted: number): ReadonlyArray<number> => {
  let budget = start
  const at: Array<number> = []
  for (let now = 0; now < untilMs; now += stepMs) {
    const [next, share] = reserve(budget, wanted, `w${now % 3}`, now)
    budget = next
    if (share.is === 'calls') at.push(...share.at)
  }
  return at
}

describe('a steady rate', () => {
  it('is never above the limit in any window of its length, and uses nearly all of it', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 100, max: 2_000 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 100 }), (limit, windowMs, stepMs, wanted) => {
      const at = drain(paced(limit, windowMs), 5 * windowMs, stepMs, wanted)
      for (const [i, time] of at.entries()) {
        const past = at[i - limit]
        // Times are whole ms, rounded up
        if (past !== undefined) expect(time - past).toBeGreaterThanOrEqual(windowMs - 1)
      }
      if (stepMs < windowMs / limit) expect(at.length).toBeGreaterThanOrEqual(Math.floor(5 * 0.9 * (limit - Math.max(1, limit / 10))))
    }), { examples: [[10, 1_000, 10, 4], [1, 1_000, 10, 5]], numRuns: 60 })
  })

  it('reserves a moment ahead only, so that others have their turn', () => {
    const [, share] = reserve(paced(50, 1_000), 1_000, 'w', 0)
    expect(share.is === 'calls' && share.at.length).toBeLessThan(20)
  })

  it('of a long window is not spread: a connection that needs ten calls of 150 an hour need not wait for them', () => {
    expect(learn<Budget>({}, { limit: 150, windowMs: hour }, 0).pace).toBeUndefined()
  })
})

describe('a number of calls in a window', () => {
  const told = { limit: 150, remaining: 30, resetInMs: hour / 2 }

  it('is handed out to the last one, and then nobody calls before the reset', () => {
    const start = learn<Budget>({}, told, 0)
    expect(drain(start, 60_000, 10, 7)).toHaveLength(30)
    let budget = start
    for (let i = 0; i < 100; i++) [budget] = reserve(budget, 5, 'w', i)
    expect(reserve(budget, 1, 'w', 200)[1]).toEqual({ is: 'wait', until: hour / 2 })
    expect(reserve(budget, 1, 'w', hour / 2)[1].is).toBe('calls')
  })

  it('is handed out a tenth of the rest at a time', () => {
    expect(reserve(learn<Budget>({}, told, 0), 100, 'w', 0)[1]).toEqual({ is: 'calls', at: [0, 0, 0] })
  })

  it('follows what is told when that is less, and when it is news', () => {
    const start = learn<Budget>({}, told, 0)
    expect(learn(start, { ...told, remaining: 12 }, 1_000).window?.left).toBe(12)
    expect(learn(start, { ...told, remaining: 31 }, 1_000)).toBe(start)
    expect(learn(start, { limit: 150, remaining: 149, resetInMs: hour }, hour / 2 - 1_000).window?.left).toBe(149)
  })

  it('does not believe an answer about a window that is over', () => {
    const next = learn<Budget>({}, { limit: 150, remaining: 140, resetInMs: hour }, 0)
    expect(learn(next, { limit: 150, remaining: 1, resetInMs: 1_000 }, 10)).toBe(next)
  })

  it('after the reset holds to the limit until somebody tells', () => {
    const start = learn<Budget>({}, { limit: 10, remaining: 0, resetInMs: 1_000 }, 0)
    expect(reserve(start, 5, 'w', 999)[1]).toEqual({ is: 'wait', until: 1_000 })
    expect(drain({ ...start, window: { limit: 10, left: 0, resetAt: -1, windowMs: hour } }, 60_000, 50, 20)).toHaveLength(10)
  })
})

describe('T58 a provider that refuses for its rate', () => {
  it('is left alone exactly as long as it asked the first time, and longer when it goes on', () => {
    let budget: Budget = {}
    let now = 0
    const waits: Array<number> = []
    for (let i = 0; i < 6; i++) {
      budget = refuse(budget, now + 1_000, now)
      waits.push((budget.pausedUntil ?? 0) - now)
      now = budget.pausedUntil ?? 0
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000])
  })

  it('is left alone for a minute, then two, then four, when it does not say how long', () => {
    const once = refuse<Budget>({}, undefined, 0)
    expect(once.pausedUntil).toBe(60_000)
    expect(refuse(once, undefined, 60_000).pausedUntil).toBe(60_000 + 120_000)
  })

  it('is left alone a day at most by our own doubling', () => {
    let budget: Budget = {}
    for (let now = 0, i = 0; i < 40; i++, now = budget.pausedUntil ?? 0) {
      budget = refuse(budget, undefined, now)
      expect((budget.pausedUntil ?? 0) - now).toBeLessThanOrEqual(24 * hour)
    }
  })

  it('counts calls that were refused together once, and keeps the longest pause', () => {
    const first = refuse<Budget>({}, 5_000, 0)
    expect(refuse(first, 4_000, 10)).toBe(first)
    expect(refuse(first, 9_000, 10)).toEqual({ refusals: 1, pausedUntil: 9_000 })
  })

  it('hands out nothing meanwhile', () => {
    expect(reserve(refuse(paced(10, 1_000), 5_000, 0), 3, 'w', 4_999)[1]).toEqual({ is: 'wait', until: 5_000 })
  })

  it('begins anew once a call went well after the pause', () => {
    const paused = refuse<Budget>({}, 5_000, 0)
    expect(calmed(paused, 4_999)).toBe(paused)
    expect(calmed(paused, 5_000)).toEqual({})
  })
})

describe('the share of one worker of four while nobody can be asked', () => {
  const users = { a: 1_000, b: 2_000, c: 3_000, d: 4_000, gone: -70_000 }

  it('is a quarter of the rate', () => {
    const at = drain(ownShare({ ...paced(40, 1_000), users }, 0), 4_000, 5, 10)
    expect(at.length).toBeGreaterThan(30)
    expect(at.length).toBeLessThanOrEqual(41)
  })

  it('is a quarter of what is left in the window', () => {
    const start: Budget = { users, window: { limit: 400, left: 100, resetAt: hour, windowMs: hour } }
    expect(drain(ownShare(start, 0), 60_000, 5, 10)).toHaveLength(25)
  })
})
