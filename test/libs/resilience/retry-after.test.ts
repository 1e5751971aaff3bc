import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { httpDate, retryAfterMs } from '#libs/resilience/retry-after.ts'

const now = Date.UTC(2026, 10, 21, 12)
const dateAt = (ms: number) => new Date(ms).toUTCString()
const day = 86_400_000

describe('Retry-After', () => {
  const cases: ReadonlyArray<readonly [value: string | undefined, ms: number | undefined]> = [
    [undefined, undefined], ['', undefined], ['soon', undefined], ['12 minutes', undefined], ['1e3', undefined], ['0x10', undefined], ['NaN', undefined],
    ['foo, 1', undefined], ['2026-11-21T12:00:30Z', undefined],
    ['0', 0], ['120', 120_000], [' 7 ', 7_000], ['1.5', 1_500], ['-5', 0], ['1000000000', day], ['9'.repeat(400), day],
    [dateAt(now + 30_000), 30_000], [dateAt(now - 30_000), 0], [dateAt(now + 3 * day), day],
    ['Saturday, 21-Nov-26 12:00:30 GMT', 30_000], ['Sat Nov 21 12:00:30 2026', 30_000],
  ]
  it.each(cases)('%j means %j ms', (value, ms) => {
    expect(retryAfterMs(value, undefined, now)).toBe(ms)
  })

  it('T59 a date with a clock ten minutes ahead here: waits as the server counts', () => {
    const serverNow = now - 600_000
    expect(retryAfterMs(dateAt(serverNow + 90_000), dateAt(serverNow), now)).toBe(90_000)
    expect(retryAfterMs(dateAt(now + 90_000), 'garbage', now)).toBe(90_000)
  })

  it('T59 is in [0, 24 h] or nothing, whatever the header says', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String), fc.date({ noInvalidDate: true }).map((d) => d.toUTCString())), (value) => {
      const ms = retryAfterMs(value, undefined, now)
      if (ms !== undefined) expect(ms >= 0 && ms <= day).toBe(true)
    }), { examples: [['-1'], ['1000000000'], ['Thu, 99 Xyz 2026 99:99:99 GMT']] })
  })
})

describe('an HTTP date', () => {
  it('is read in all three forms of RFC 9110, as UTC', () => {
    const at = Date.UTC(1994, 10, 6, 8, 49, 37)
    for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) expect(httpDate(text)).toBe(at)
  })
})
