import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Conflict, Rules } from '../../../../services/conflict-resolver/conflict.ts'
import { newestWins, skewMs } from '../../../../services/conflict-resolver/strategies/newest-wins.ts'

const rules: Rules = { kind: 'contact', tie: 'source', deleteWins: false }
const noon = Date.UTC(2026, 5, 1, 12)
const at = (ms: number): string => new Date(noon + ms).toISOString()

const edits = (source: string | undefined, destination: string | undefined): Conflict => ({
  met: 'edit-edit',
  source: { is: 'present', fields: { n: 'a' }, ...(source === undefined ? {} : { modifiedAt: source }) },
  destination: { is: 'present', fields: { n: 'b' }, ...(destination === undefined ? {} : { modifiedAt: destination }) },
})

describe('both edited', () => {
  const cases: ReadonlyArray<readonly [name: string, source: string | undefined, destination: string | undefined, take: string, rule: string]> = [
    ['source later', at(skewMs + 1), at(0), 'source', 'newest-wins'],
    ['destination later', at(0), at(skewMs + 1), 'destination', 'newest-wins'],
    ['exactly the skew apart', at(0), at(skewMs), 'source', 'within-skew, source-wins'],
    ['at the same moment', at(0), at(0), 'source', 'within-skew, source-wins'],
    ['only the destination tells', undefined, at(0), 'source', 'no-trusted-time, source-wins'],
    ['neither tells', undefined, undefined, 'source', 'no-trusted-time, source-wins'],
    ['other offsets', '2026-06-01T14:00:00+02:00', '2026-06-01T11:00:00-01:30', 'destination', 'newest-wins'],
    ['a time without an offset is not trusted', '2026-06-01T12:00:00Z', '2026-06-01T18:00:00', 'source', 'no-trusted-time, source-wins'],
    ['nonsense is not trusted', at(0), 'yesterday', 'source', 'no-trusted-time, source-wins'],
    ['a day that does not exist is not trusted', at(0), '2026-13-41T12:00:00Z', 'source', 'no-trusted-time, source-wins'],
  ]
  it.each(cases)('%s', (_, source, destination, take, rule) => {
    expect(newestWins(edits(source, destination), rules)).toMatchObject({ take, rule, provenance: [{ field: 'n', rule, winner: take }] })
  })

  it('gives the same winner when the sides are swapped, and the source where the clocks cannot tell (T24)', () => {
    const time = fc.option(fc.integer({ min: -200_000, max: 200_000 }).map(at), { nil: undefined })
    fc.assert(fc.property(time, time, (a, b) => {
      const [there, back] = [newestWins(edits(a, b), rules), newestWins(edits(b, a), rules)]
      if (there.rule === 'newest-wins') expect(back.take).toBe(there.take === 'source' ? 'destination' : 'source')
      else expect([there.take, back.take]).toEqual(['source', 'source'])
      expect(back.rule).toBe(there.rule)
    }), { numRuns: 1_000, examples: [[at(0), at(skewMs)], [undefined, at(0)]] })
  })
})

describe('one edited, one deleted', () => {
  const editDelete = (modifiedAt?: string, deletedAt?: string): Conflict => ({
    met: 'edit-delete',
    source: { is: 'present', fields: {}, ...(modifiedAt === undefined ? {} : { modifiedAt }) },
    destination: { is: 'deleted', ...(deletedAt === undefined ? {} : { deletedAt }) },
  })
  const deleteEdit = (deletedAt?: string, modifiedAt?: string): Conflict => ({
    met: 'delete-edit',
    source: { is: 'deleted', ...(deletedAt === undefined ? {} : { deletedAt }) },
    destination: { is: 'present', fields: {}, ...(modifiedAt === undefined ? {} : { modifiedAt }) },
  })
  const cases: ReadonlyArray<readonly [name: string, conflict: Conflict, deleteWins: boolean, take: string, rule: string]> = [
    ['deleted at the destination later: deleted', editDelete(at(0), at(skewMs + 1)), false, 'destination', 'newest-wins'],
    ['edited at the source later: it comes back', editDelete(at(skewMs + 1), at(0)), true, 'source', 'newest-wins'],
    ['nobody tells: the edit wins', editDelete(), true, 'source', 'no-trusted-time, edit-wins'],
    ['deleted at the source later: deleted', deleteEdit(at(skewMs + 1), at(0)), false, 'source', 'newest-wins'],
    ['edited at the destination later: it comes back', deleteEdit(at(0), at(skewMs + 1)), true, 'destination', 'newest-wins'],
    ['nobody tells: the edit at the destination wins', deleteEdit(), false, 'destination', 'no-trusted-time, edit-wins'],
    ['nobody tells and deletions win: deleted', deleteEdit(), true, 'source', 'no-trusted-time, delete-wins'],
  ]
  it.each(cases)('%s', (_, conflict, deleteWins, take, rule) => {
    expect(newestWins(conflict, { ...rules, deleteWins })).toEqual({ take, rule })
  })
})
