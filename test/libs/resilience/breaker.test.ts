import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Breaker } from '#libs/contracts/provider-state.ts'
import { answered, failed, givenBack, healthy, probing, standing } from '#libs/resilience/breaker.ts'

const minute = 60_000
const failTimes = (breaker: Breaker, times: number, now: number): Breaker => Array.from({ length: times }).reduce<Breaker>((one) => failed(one, now), breaker)

describe('T61 a breaker', () => {
  it('opens at the fifth failure in a row, and not before', () => {
    expect(standing(failTimes(healthy, 4, 0), 0)).toEqual({ is: 'go' })
    expect(standing(failTimes(healthy, 5, 0), 0)).toEqual({ is: 'later', until: 30_000 })
  })

  it('begins to count anew after any answer', () => {
    expect(failTimes(answered(failTimes(healthy, 4, 0)), 4, 0)).toEqual({ is: 'closed', failures: 4 })
  })

  it('lets one probe through after the cool-down, and nobody else', () => {
    const open = failTimes(healthy, 5, 0)
    expect(probing(open, 'early', 29_999)).toBe(open)
    expect(standing(open, 30_000)).toEqual({ is: 'probe' })
    const halfOpen = probing(open, 'mine', 30_000)
    expect(halfOpen).toMatchObject({ is: 'half-open', probe: 'mine' })
    expect(standing(halfOpen, 30_001).is).toBe('later')
    expect(probing(halfOpen, 'other', 30_001)).toBe(halfOpen)
  })

  it('closes when the probe goes well, with all forgotten', () => {
    const halfOpen = probing(failTimes(healthy, 5, 0), 'mine', minute)
    expect(answered(halfOpen, 'mine')).toBe(healthy)
  })

  it('opens for longer after each failed probe, up to a quarter of an hour', () => {
    let breaker = failTimes(healthy, 5, 0)
    const cool: Array<number> = []
    for (let i = 0; i < 8; i++) {
      if (breaker.is !== 'open') throw new Error('not open')
      cool.push(breaker.coolMs)
      breaker = failed(probing(breaker, 'p', breaker.until), breaker.until, 'p')
    }
    expect(cool).toEqual([0.5, 1, 2, 4, 8, 15, 15, 15].map((minutes) => minutes * minute))
  })

  it('is not moved by calls that began before it opened', () => {
    const open = failTimes(healthy, 5, 0)
    expect(answered(open)).toBe(open)
    expect(failed(open, 1)).toBe(open)
    const halfOpen = probing(open, 'mine', minute)
    expect(answered(halfOpen)).toBe(halfOpen)
    expect(answered(halfOpen, 'another')).toBe(halfOpen)
    expect(failed(halfOpen, minute)).toBe(halfOpen)
  })

  it('gives the next one the probe when it was given back, or when its worker died', () => {
    const halfOpen = probing(failTimes(healthy, 5, 0), 'mine', minute)
    expect(standing(givenBack(halfOpen, minute + 5, 'mine'), minute + 5)).toEqual({ is: 'probe' })
    expect(givenBack(halfOpen, minute, 'another')).toBe(halfOpen)
    expect(standing(halfOpen, 2 * minute)).toEqual({ is: 'probe' })
    expect(probing(halfOpen, 'other', 2 * minute)).toMatchObject({ probe: 'other' })
    expect(answered(probing(halfOpen, 'other', 2 * minute), 'mine').is).toBe('half-open')
  })

  it('never has two probes at once, and always lets somebody in again, whatever happens', () => {
    const step = fc.record({ do: fc.constantFrom('fail', 'answer', 'probe', 'give-back', 'old-fail', 'old-answer'), afterMs: fc.nat(20 * minute) })
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let breaker: Breaker = healthy
      let now = 0
      let probe: { token: string; until: number } | undefined
      for (const [i, { do: what, afterMs }] of steps.entries()) {
        now += afterMs
        const token = probe?.token
        if (what === 'probe' && standing(breaker, now).is === 'probe') {
          expect(probe === undefined || probe.until <= now).toBe(true)
          breaker = probing(breaker, `p${i}`, now)
          probe = breaker.is === 'half-open' ? { token: `p${i}`, until: breaker.until } : probe
          continue
        }
        if (what === 'fail') breaker = failed(breaker, now, token)
        if (what === 'answer') breaker = answered(breaker, token)
        if (what === 'give-back' && token !== undefined) breaker = givenBack(breaker, now, token)
        if (what === 'old-fail') breaker = failed(breaker, now)
        if (what === 'old-answer') breaker = answered(breaker)
        if (breaker.is !== 'half-open') probe = undefined
      }
      expect(standing(breaker, now + 15 * minute).is).not.toBe('later')
    }))
  })
})
