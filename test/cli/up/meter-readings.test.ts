import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meterReading } from '../../../cli/up/meter-readings.ts'

type Reading = { readonly id: number; readonly meter: string; readonly read_at: string; readonly kwh: number }
const reading = (n: number): Reading => JSON.parse(meterReading(n)) as Reading

describe('readings', () => {
  it('begin with those that are shipped, line for line', () => {
    const shipped = readFileSync(new URL('../../../examples/quickstart/data/meters/readings.jsonl', import.meta.url), 'utf8')
    const lines = shipped.trimEnd().split('\n')
    expect(lines).toEqual(lines.map((_, i) => meterReading(i + 1)))
  })

  it('of one meter never go back, and come a quarter of an hour apart', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2_000_000 }), (n) => {
      const [now, later] = [reading(n), reading(n + 4)]
      expect(later.meter).toBe(now.meter)
      expect(later.kwh).toBeGreaterThan(now.kwh)
      expect(Date.parse(later.read_at) - Date.parse(now.read_at)).toBe(15 * 60_000)
    }), { examples: [[1], [381], [384], [385]] })
  })

  it('keep three digits behind the point, as the column does', () => expect(meterReading(1)).toBe('{"id":1,"meter":"NE-1041","read_at":"2026-01-05T00:00:00Z","kwh":18231.400}'))
})
