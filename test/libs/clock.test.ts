import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { systemRandom } from '#libs/random.ts'

describe('the system clock', () => {
  it('sleeps until it is aborted, without rejecting', async () => {
    const abort = new AbortController()
    const asleep = systemClock.sleep(3 * 2 ** 31, abort.signal)
    abort.abort()
    await asleep
    await systemClock.sleep(60_000, AbortSignal.abort())
  })

  it('does not mistake a sleep of months for none', async () => {
    const abort = new AbortController()
    const winner = await Promise.race([systemClock.sleep(3 * 2 ** 31, abort.signal).then(() => 'months'), systemClock.sleep(5).then(() => '5 ms')])
    abort.abort()
    expect(winner).toBe('5 ms')
  })
})

describe('the system random', () => {
  it('makes ids that sort in the order they were made, and tokens that differ', () => {
    const ids = [systemRandom.ulid(1_790_000_000_000), systemRandom.ulid(1_790_000_000_000), systemRandom.ulid(1_789_999_999_999)]
    expect([...ids].sort()).toEqual(ids)
    expect(ids[0]).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
    expect(systemRandom.token()).toMatch(/^[\w-]{22}$/)
    expect(systemRandom.token()).not.toBe(systemRandom.token())
  })
})
