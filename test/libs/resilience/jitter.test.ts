import { describe, expect, it } from 'vitest'
import { nakDelayMs } from '#libs/resilience/backoff.ts'

/** Chance that is the same in every run. */
const chances = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

const histogram = (times: ReadonlyArray<number>, binMs: number): ReadonlyArray<number> => {
  const bins: Array<number> = []
  for (const ms of times) bins[Math.floor(ms / binMs)] = (bins[Math.floor(ms / binMs)] ?? 0) + 1
  return Array.from(bins, (count) => count ?? 0)
}

describe('T60 a thousand retries from one instant', () => {
  // Of the longer waves a second holds one or two by chance, so there the bin is a fiftieth of the wave.
  it.each([[1, 1_000], [2, 1_000], [3, 1_000], [4, 1_000], [5, 1_600], [6, 3_200], [7, 6_400], [8, 12_800], [9, 18_000]])('after delivery %i no bin of %i ms has three times its share', (attempt, binMs) => {
    for (let seed = 1; seed <= 20; seed++) {
      const chance = chances(seed)
      const waves = Array.from({ length: 1_000 }, () => nakDelayMs(attempt, chance()))
      const bins = histogram(waves, binMs)
      expect(Math.max(...bins)).toBeLessThan(3 * (1_000 / bins.length))
    }
  })
})
