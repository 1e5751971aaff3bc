import { describe, expect, it } from 'vitest'
import { chanceOf } from './prng.ts'
import { scheduleOf, sharedNemeses, workerNemeses } from './schedule.ts'

const workers = ['w1', 'w2', 'w3']
const of = (seed: number) => scheduleOf(chanceOf(seed).fork('nemeses'), { forMs: 300_000, leaseTtlMs: 3_000, workers })

describe('a schedule of nemeses', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(of(7)).toEqual(of(7))
    expect(of(7)).not.toEqual(of(8))
  })

  it('does not move when another part of the run asks for chance', () => {
    const chance = chanceOf(7)
    chance.fork('load').next()
    expect(scheduleOf(chance.fork('nemeses'), { forMs: 300_000, leaseTtlMs: 3_000, workers })).toEqual(of(7))
  })

  it('strikes all the while, and ends with the load', () => {
    const strikes = of(7)
    expect(strikes.length).toBeGreaterThan(30)
    for (const { afterMs, forMs } of strikes) expect(afterMs + forMs).toBeLessThanOrEqual(300_500)
  })

  it('names a worker where a worker is meant', () => {
    const struck = of(9).filter(({ what }) => (workerNemeses as ReadonlyArray<string>).includes(what))
    expect(struck.length).toBeGreaterThan(0)
    for (const { target } of struck) expect(workers).toContain(target)
  })

  it('knows every nemesis within a few seeds', () => {
    const met = new Set(Array.from({ length: 20 }, (_, seed) => of(seed)).flatMap((strikes) => strikes.map(({ what }) => what)))
    expect([...met].sort()).toEqual([...workerNemeses, ...sharedNemeses].sort())
  })
})
