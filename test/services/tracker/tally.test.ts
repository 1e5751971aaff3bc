import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunResult } from '#libs/contracts/result.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { Stats } from '#libs/contracts/status.ts'
import { count, countQuiet, quietRunOf, rememberedRuns } from '../../../services/tracker/tally.ts'
import { isEntry, noCounts } from '../../../services/tracker/told.ts'
import { flow, quiet, result, skipped } from './samples.ts'

const tallied = (results: ReadonlyArray<RunResult>, from?: Stats) => results.reduce<Stats | undefined>(count, from)

describe('the tally of a connection', () => {
  it('counts runs by how they ended, quiet ones, changes and time', () => {
    const changed = result(1, { flows: [flow({ counts: { ...noCounts, created: 2, deleted: 1 } }), flow({ counts: { ...noCounts, created: 1 } })] })
    expect(tallied([changed, quiet(2), result(3, { outcome: 'failed' }), skipped(4)])).toMatchObject({
      runs: { succeeded: 2, failed: 1, skipped: 1 }, quietRuns: 1, totals: { ...noCounts, created: 3, deleted: 1 },
      durationMsSum: 15_000, since: 10_000, updatedAt: 40_000,
    })
  })
  it('leaves dry runs out', () => {
    expect(tallied([result(1), result(2, { dryRun: true })])).toEqual(tallied([result(1)]))
  })
  it('tells skipped slots apart although they may share a run', () => {
    expect(tallied([skipped(1, { run: 'r' }), skipped(2, { run: 'r' }), skipped(2, { run: 'r' })])?.runs).toEqual({ skipped: 2 })
  })
  it('counts every run once, whatever is repeated and in whatever order it comes', () => {
    fc.assert(fc.property(fc.shuffledSubarray([...Array(20).keys()], { minLength: 1 }), fc.array(fc.nat(19)), (order, again) => {
      const runs = [...order, ...again.filter((n) => order.includes(n))].map((n) => result(n + 1))
      expect(tallied(runs)?.runs).toEqual({ succeeded: order.length })
    }))
  })
  it('is the same whether quiet runs waited or were counted at once, and counts none twice', () => {
    fc.assert(fc.property(fc.array(fc.record({ n: fc.integer({ min: 1, max: 9 }), unchanged: fc.nat(5) }), { minLength: 1 }), fc.nat(9), (runs, counted) => {
      const results = runs.map(({ n, unchanged }) => quiet(n, { flows: [flow({ counts: { ...noCounts, read: 1, unchanged } })] }))
      const waiting = results.map((one) => quietRunOf(one)!)
      expect(countQuiet(tallied(results.slice(0, counted)), results[0]!.conn, waiting)).toEqual(tallied(results))
    }))
  })
  it('does not wait for what is no quiet run that succeeded', () => {
    for (const one of [result(1), skipped(1), quiet(1, { dryRun: true }), quiet(1, { outcome: 'failed' })]) expect(quietRunOf(one)).toBeUndefined()
  })
  it('remembers the names of the last runs only', () => {
    expect(tallied([...Array(100).keys()].map((n) => result(n + 1)))?.counted).toHaveLength(rememberedRuns)
  })
  it('goes on from what was written before it remembered runs', () => {
    const { counted: _, ...old } = tallied([result(1)]) as Stats
    const read = decode(Stats, encode(Stats, old))
    expect(read._tag === 'Right' && tallied([result(2)], read.right)).toMatchObject({ runs: { succeeded: 2 }, counted: [result(2).run] })
  })
})

it.each([
  [result(1), true], [quiet(1), false], [quiet(1, { cause: 'manual' }), true], [quiet(1, { cause: 'redrive' }), true],
  [quiet(1, { cause: 'first' }), false], [skipped(1, { cause: 'manual' }), false], [result(1, { outcome: 'cancelled' }), true],
])('a history entry: not what was quiet, unless it was asked for by hand', (one, entry) => {
  expect(isEntry(one)).toBe(entry)
})
