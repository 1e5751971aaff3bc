import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSameActivity } from '#libs/domain/same-activity.ts'
import type { Recording } from '#libs/domain/same-activity.ts'

const minutes = (from: number, length: number, type = 'run'): Recording => ({ type, startMs: from * 60_000, durationMs: length * 60_000 })

describe('two recordings', () => {
  const cases: ReadonlyArray<readonly [name: string, a: Recording, b: Recording, same: boolean]> = [
    ['at the same time', minutes(0, 30), minutes(0, 30), true],
    ['one started five minutes late', minutes(0, 30), minutes(5, 25), true],
    ['exactly 70% of the shorter', minutes(0, 10), minutes(3, 60), true],
    ['just under 70%', minutes(0, 10), { ...minutes(3, 60), startMs: 3 * 60_000 + 1 }, false],
    ['one right after the other', minutes(0, 30), minutes(30, 30), false],
    ['on another day', minutes(0, 30), minutes(1_440, 30), false],
    ['of another type', minutes(0, 30), minutes(0, 30, 'ride'), false],
    ['a short one inside a long one', minutes(0, 600), minutes(100, 5), true],
    ['one without length inside the other', minutes(0, 30), minutes(10, 0), true],
    ['one without length elsewhere', minutes(0, 30), minutes(31, 0), false],
    ['one that ends before it starts', minutes(0, 30), minutes(10, -5), false],
    ['one without a start', minutes(0, 30), { type: 'run', startMs: Number.NaN, durationMs: 60_000 }, false],
  ]
  it.each(cases)('%s', (_, a, b, same) => {
    expect(isSameActivity(a, b)).toBe(same)
  })

  it('are the same whichever is asked first, and the same as themselves', () => {
    const recording = fc.record({ type: fc.constantFrom('run', 'ride'), startMs: fc.integer({ min: 0, max: 10_000 }), durationMs: fc.nat({ max: 10_000 }) })
    fc.assert(fc.property(recording, recording, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, overlap) => {
      expect(isSameActivity(a, b, overlap)).toBe(isSameActivity(b, a, overlap))
      expect(isSameActivity(a, a, overlap)).toBe(true)
    }))
  })

  it('need less overlap when told so', () => {
    expect(isSameActivity(minutes(0, 10), minutes(5, 10), 0.5)).toBe(true)
    expect(isSameActivity(minutes(0, 10), minutes(5, 10), 0.6)).toBe(false)
  })
})
