import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bisect } from '#libs/connectors/postgres/bisect.ts'
import { E } from '#libs/fp.ts'

const run = async (count: number, poison: ReadonlySet<number>, known?: string) => {
  const applied: Array<number> = []
  let attempts = 0
  const refused = await bisect<string>(count, async (from, to) => {
    attempts += 1
    for (let n = from; n < to; n++) if (poison.has(n)) return E.left(`row ${n}`)
    for (let n = from; n < to; n++) applied.push(n)
    return E.right(undefined)
  }, known)
  return { applied, refused, attempts }
}

describe('looking for poison', () => {
  it('applies every other row once, in order, and says of each poison row why', () =>
    fc.assert(fc.asyncProperty(fc.nat(300), fc.array(fc.nat(299)), async (count, places) => {
      const poison = new Set(places.filter((place) => place < count))
      const { applied, refused } = await run(count, poison)
      expect(applied).toEqual(Array.from({ length: count }, (_, n) => n).filter((n) => !poison.has(n)))
      expect([...refused.entries()]).toEqual([...poison].sort((a, b) => a - b).map((n) => [n, `row ${n}`]))
    }), { examples: [[0, []], [1, [0]], [2, [0, 1]], [200, [199]], [300, Array.from({ length: 300 }, (_, n) => n)]] }))

  it('T66: one row in 200 costs at most nine attempts more, wherever it is', async () => {
    for (let n = 0; n < 200; n++) {
      expect((await run(200, new Set([n]))).attempts).toBeLessThanOrEqual(1 + 9)
      expect((await run(200, new Set([n]), 'known')).attempts).toBeLessThanOrEqual(9)
    }
  })

  it('costs a few attempts a row when everything is poison', async () => {
    expect((await run(1_000, new Set(Array.from({ length: 1_000 }, (_, n) => n)))).attempts).toBeLessThan(3_000)
  })
})
