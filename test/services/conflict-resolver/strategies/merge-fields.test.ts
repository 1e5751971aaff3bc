import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, isList } from '#libs/domain/json.ts'
import type { Json } from '#libs/domain/json.ts'
import { fieldHashesOf, hashOf } from '#libs/domain/record.ts'
import type { Fields } from '#libs/domain/record.ts'
import { mergedFields, mergeFields } from '../../../../services/conflict-resolver/strategies/merge-fields.ts'

type Tie = 'source' | 'destination'

const merge = (base: Fields | undefined, a: Fields, b: Fields, tie: Tie = 'source'): Fields =>
  mergedFields(base === undefined ? undefined : fieldHashesOf(base), a, b, tie).fields

describe('one field, with a base', () => {
  const cases: ReadonlyArray<readonly [name: string, base: Fields, a: Fields, b: Fields, merged: Fields, rule: string | undefined]> = [
    ['changed at the source only', { n: 'x' }, { n: 'y' }, { n: 'x' }, { n: 'y' }, 'changed-at-source'],
    ['changed at the destination only', { n: 'x' }, { n: 'x' }, { n: 'y' }, { n: 'y' }, 'changed-at-destination'],
    ['changed alike', { n: 'x' }, { n: 'y' }, { n: 'y' }, { n: 'y' }, undefined],
    ['changed differently', { n: 'x' }, { n: 'y' }, { n: 'z' }, { n: 'y' }, 'tie'],
    ['removed at the source only', { n: 'x' }, {}, { n: 'x' }, {}, 'changed-at-source'],
    ['removed at the destination only', { n: 'x' }, { n: 'x' }, {}, {}, 'changed-at-destination'],
    ['removed at the source, changed at the destination', { n: 'x' }, {}, { n: 'y' }, {}, 'tie'],
    ['added at the source only', {}, { n: 'y' }, {}, { n: 'y' }, 'changed-at-source'],
    ['added on both differently', {}, { n: 'y' }, { n: 'z' }, { n: 'y' }, 'tie'],
    ['a number that stayed and one that changed', { n: 1 }, { n: 1 }, { n: 2 }, { n: 2 }, 'changed-at-destination'],
    ['null is a value', { n: null }, { n: null }, { n: 'y' }, { n: 'y' }, 'changed-at-destination'],
    ['one phone added on each side', { t: ['1'] }, { t: ['1', '2'] }, { t: ['1', '3'] }, { t: ['1', '2', '3'] }, 'set-merge'],
    ['one phone removed here, one added there', { t: ['1', '2'] }, { t: ['2'] }, { t: ['1', '2', '3'] }, { t: ['2', '3'] }, 'set-merge'],
    ['a different phone removed on each side', { t: ['1', '2', '3'] }, { t: ['2', '3'] }, { t: ['1', '3'] }, { t: ['3'] }, 'set-merge'],
    ['all removed here, one added there', { t: ['1'] }, {}, { t: ['1', '2'] }, { t: ['2'] }, 'set-merge'],
    ['all removed here, one of two there', { t: ['1', '2'] }, {}, { t: ['1'] }, {}, 'set-merge'],
    ['a set in another order is no change', { t: ['1', '2'] }, { t: ['2', '1'] }, { t: ['1', '2', '3'] }, { t: ['1', '2', '3'] }, 'changed-at-destination'],
    ['one value became two here, another there', { t: 'x' }, { t: ['x', 'y'] }, { t: 'z' }, { t: ['x', 'y'] }, 'tie'],
    ['objects in a set', { t: [{ a: 1 }] }, { t: [{ a: 1 }, { b: 2 }] }, { t: [] }, { t: [{ b: 2 }] }, 'set-merge'],
    ['a field called constructor', { constructor: 'x' }, { constructor: 'x' }, {}, {}, 'changed-at-destination'],
    ['a field that only objects have', {}, { toString: 'x' }, {}, { toString: 'x' }, 'changed-at-source'],
  ]
  it.each(cases)('%s', (_, base, a, b, merged, rule) => {
    const result = mergedFields(fieldHashesOf(base), a, b, 'source')
    expect(result.fields).toEqual(merged)
    expect(result.provenance.map((line) => line.rule)).toEqual(rule === undefined ? [] : [rule])
  })

  it('goes to the destination when the tie does', () => {
    expect(merge({ n: 'x' }, { n: 'y' }, { n: 'z' }, 'destination')).toEqual({ n: 'z' })
    expect(merge({ n: 'x' }, {}, { n: 'z' }, 'destination')).toEqual({ n: 'z' })
  })
})

describe('one field, without a base', () => {
  const cases: ReadonlyArray<readonly [name: string, a: Fields, b: Fields, merged: Fields, rule: string]> = [
    ['sets are united', { t: ['1', '2'] }, { t: ['2', '3'] }, { t: ['1', '2', '3'] }, 'union'],
    ['what only the source has stays', { n: 'x' }, {}, { n: 'x' }, 'only-at-source'],
    ['what only the destination has stays', {}, { t: ['1'] }, { t: ['1'] }, 'only-at-destination'],
    ['different scalars tie', { n: 'x' }, { n: 'y' }, { n: 'x' }, 'tie'],
  ]
  it.each(cases)('%s', (_, a, b, merged, rule) => {
    const result = mergedFields(undefined, a, b, 'source')
    expect(result.fields).toEqual(merged)
    expect(result.provenance.map((line) => line.rule)).toEqual([rule])
  })
})

describe('two people edit two fields of one contact', () => {
  it('both edits stand, and the provenance says whose is which', () => {
    const base = { FN: 'Ann', TEL: ['1'], NOTE: 'old', EMAIL: ['a@x'] }
    const ruling = mergeFields({
      met: 'edit-edit',
      base: fieldHashesOf(base),
      source: { is: 'present', fields: { ...base, FN: 'Anne' } },
      destination: { is: 'present', fields: { ...base, TEL: ['1', '2'], NOTE: 'new' } },
    }, { kind: 'contact', tie: 'source', deleteWins: false })
    expect(ruling).toEqual({
      take: 'merged',
      rule: 'merge',
      fields: { FN: 'Anne', TEL: ['1', '2'], NOTE: 'new', EMAIL: ['a@x'] },
      provenance: [
        { field: 'FN', rule: 'changed-at-source', winner: 'source' },
        { field: 'NOTE', rule: 'changed-at-destination', winner: 'destination' },
        { field: 'TEL', rule: 'changed-at-destination', winner: 'destination' },
      ],
    })
  })
})

/** Few names and values, so that the sides often meet; sets as the formats make them: sorted, each element once. */
const scalar: fc.Arbitrary<Json> = fc.constantFrom<Json>('a', 'b', 'c', '', 1, 2, null, true, { deep: [1] })
const element: fc.Arbitrary<Json> = fc.constantFrom<Json>('a', 'b', 'c', 'd', '"', 'é')
const set = fc.uniqueArray(element, { maxLength: 4, selector: canonicalJson }).map((values) => [...values].sort())
const fields: fc.Arbitrary<Fields> = fc.dictionary(fc.constantFrom('f', 'g', 'h', 'constructor'), fc.oneof(scalar, set), { maxKeys: 4 })
const tie = fc.constantFrom<Tie>('source', 'destination')
const runs = { numRuns: 1_500 }

describe('T27 the laws of the merge', () => {
  it('merge(b, a, b) = a: what only the source changed stands', () => {
    fc.assert(fc.property(fields, fields, tie, (b, a, t) => { expect(merge(b, a, b, t)).toEqual(a) }), { ...runs, examples: [[{ f: ['a'] }, {}, 'source']] })
  })

  it('merge(b, b, c) = c: what only the destination changed stands', () => {
    fc.assert(fc.property(fields, fields, tie, (b, c, t) => { expect(merge(b, b, c, t)).toEqual(c) }), { ...runs, examples: [[{ f: 'a' }, { f: ['a'] }, 'source']] })
  })

  it('merge(b, a, a) = a: the same change on both is that change', () => {
    fc.assert(fc.property(fc.option(fields, { nil: undefined }), fields, tie, (b, a, t) => { expect(merge(b, a, a, t)).toEqual(a) }), runs)
  })

  it('is symmetric: with the sides and the tie swapped the same comes out', () => {
    fc.assert(fc.property(fc.option(fields, { nil: undefined }), fields, fields, tie, (b, a, c, t) => {
      expect(hashOf(merge(b, a, c, t))).toBe(hashOf(merge(b, c, a, t === 'source' ? 'destination' : 'source')))
    }), runs)
  })

  it('absorbs: a crash after either write leads to the same result', () => {
    fc.assert(fc.property(fc.option(fields, { nil: undefined }), fields, fields, tie, (b, a, c, t) => {
      const m = merge(b, a, c, t)
      expect(merge(b, m, c, t)).toEqual(m)
      expect(merge(b, a, m, t)).toEqual(m)
      expect(merge(b, m, m, t)).toEqual(m)
    }), { numRuns: 3_000, examples: [[{ f: ['a', 'b'] }, {}, { f: ['a'] }, 'source'], [{ f: ['a'] }, { f: [] }, {}, 'source'], [{}, { f: [] }, { f: 'a' }, 'destination']] })
  })

  it('makes nothing up: every value, or element of a set, comes from a side', () => {
    fc.assert(fc.property(fc.option(fields, { nil: undefined }), fields, fields, tie, (b, a, c, t) => {
      for (const [name, value] of Object.entries(merge(b, a, c, t))) {
        const of = (side: Fields): ReadonlyArray<Json> => (Object.hasOwn(side, name) ? [side[name] ?? null] : [])
        const parts = (values: ReadonlyArray<Json>): ReadonlyArray<string> => values.flatMap((one) => (isList(one) ? one : [one])).map(canonicalJson)
        const known = parts([...of(a), ...of(c)])
        for (const part of parts([value])) expect(known).toContain(part)
      }
    }), runs)
  })

  it('loses no element that nobody removed', () => {
    fc.assert(fc.property(set, set, set, (b, a, c) => {
      const merged = merge({ f: b }, { f: a }, { f: c }).f as ReadonlyArray<Json>
      const expected = new Set([...b.filter((e) => a.includes(e) && c.includes(e)), ...a.filter((e) => !b.includes(e)), ...c.filter((e) => !b.includes(e))])
      expect(merged).toEqual([...expected].sort())
    }), runs)
  })
})
