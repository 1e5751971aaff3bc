/** Two sides gone through page by page come out as they do when planned whole: on random sides, and after random edits. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'
import type { Link } from '#libs/domain/link.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import { flowOf, linksOf, rigOf, shown } from '../../support/paired-rig.ts'

const keys = ['a', 'b', 'c', 'd', 'e', 'caf\u00e9', 'cafe\u0301', 'g', 'h']
const contents = fc.array(fc.record({ key: fc.constantFrom(...keys), a: fc.constantFrom('-', 'x', 'y'), b: fc.constantFrom('-', 'x', 'y') }), { maxLength: 9 })
const habits: fc.Arbitrary<MemoryOptions> = fc.record({ pageSize: fc.constantFrom(1, 2, 3), seenOnly: fc.boolean(), delta: fc.boolean(), batchSize: fc.constantFrom(1, 100) })
const bare = (links: ReadonlyMap<string, Link>): ReadonlyMap<string, unknown> =>
  new Map([...links].map(([key, { genA: _g, wroteA: _a, wroteB: _b, writes: _w, idA, idB, verA: _va, verB: _vb, ...link }]) => [key, { ...link, ids: [idA !== undefined, idB !== undefined] }] as const).sort(([x], [y]) => (x < y ? -1 : 1)))

describe('any two sides', () => {
  it('come out as they do when planned whole: contents, links, counts; and again after edits', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(
      contents, contents, habits, habits, fc.constantFrom('source-wins', 'destination-wins', 'manual', 'merge'), fc.boolean(), fc.constantFrom(0, 1, 3),
      async (first, edits, a, b, strategy, full, above) => {
        const outcomes: Array<unknown> = []
        for (const limit of [1_000, above]) {
          const rig = rigOf(limit, { a, b, connection: { strategy } })
          const set = (changes: typeof first): void => {
            for (const { key, a: ofA, b: ofB } of changes) {
              for (const [store, value] of [[rig.a, ofA], [rig.b, ofB]] as const) {
                if (value === '-') store.removeKey(key)
                else if (shown(store)[key] !== value) store.put({ key, fields: { v: value } })
              }
            }
          }
          const told: Array<unknown> = []
          const tell = (result: RunResult): void => {
            const { outcome, counts, parkedNow, links } = flowOf(result)
            const { created, updated, deleted, adopted, conflicts, parked } = counts
            told.push({ outcome, parkedNow, links, counts: { created, updated, deleted, adopted, conflicts, parked } }, shown(rig.a), shown(rig.b), bare(linksOf(rig)))
          }
          set(first)
          tell(await rig.run())
          set(edits)
          tell(await rig.run(full ? { mode: 'full' } : {}))
          outcomes.push(told)
        }
        expect(outcomes[1]).toEqual(outcomes[0])
      },
    ), { numRuns: process.env['SYNCLINE_DEEP'] === '1' ? 6_000 : 300 })
  })
})
