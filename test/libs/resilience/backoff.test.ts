import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fullJitterMs, inlineBackoff, nakDelayMs } from '#libs/resilience/backoff.ts'

const almostOne = 1 - Number.EPSILON

describe('waiting before the next try', () => {
  const cases: ReadonlyArray<readonly [failures: number, longestMs: number]> = [
    [0, 200], [1, 400], [2, 800], [3, 1_600], [4, 3_200], [5, 5_000], [50, 5_000], [5_000, 5_000],
  ]
  it.each(cases)('after %i failures lasts at most %i ms', (failures, longestMs) => {
    expect(fullJitterMs(inlineBackoff, failures, almostOne)).toBe(longestMs)
    expect(fullJitterMs(inlineBackoff, failures, 0.5)).toBe(longestMs / 2)
    expect(fullJitterMs(inlineBackoff, failures, 0)).toBe(0)
  })

  it('is a whole number of ms within its bounds and grows with chance, for any backoff', () => {
    const backoff = fc.record({ baseMs: fc.integer({ min: 1, max: 60_000 }), capMs: fc.integer({ min: 1, max: 3_600_000 }) })
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(fc.property(backoff, fc.nat({ max: 2_000 }), chance, chance, (given, failures, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      const waitMs = fullJitterMs(given, failures, more)
      expect(Number.isInteger(waitMs)).toBe(true)
      expect(waitMs).toBeGreaterThanOrEqual(fullJitterMs(given, failures, less))
      expect(waitMs).toBeLessThanOrEqual(given.capMs)
    }))
  })
})

describe('the delay of a redelivery', () => {
  const cases: ReadonlyArray<readonly [attempt: number, longestMs: number]> = [
    [1, 5_000], [2, 10_000], [3, 20_000], [4, 40_000], [8, 640_000], [9, 900_000], [100, 900_000],
  ]
  it.each(cases)('after delivery %i is at most %i ms', (attempt, longestMs) => {
    expect(nakDelayMs(attempt, almostOne)).toBe(longestMs)
  })

  it('treats a delivery counted from 0 as the first', () => {
    expect(nakDelayMs(0, almostOne)).toBe(5_000)
  })
})
