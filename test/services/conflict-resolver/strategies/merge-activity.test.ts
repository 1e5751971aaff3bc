import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '#libs/domain/json.ts'
import { fieldHashesOf } from '#libs/domain/record.ts'
import type { Fields } from '#libs/domain/record.ts'
import { mergeActivity } from '../../../../services/conflict-resolver/strategies/merge-activity.ts'
import type { Ruling } from '../../../../services/conflict-resolver/conflict.ts'

const merge = (source: Fields, destination: Fields, options: { base?: Fields; tie?: 'source' | 'destination' } = {}): Ruling =>
  mergeActivity(
    {
      met: 'edit-edit',
      source: { is: 'present', fields: source },
      destination: { is: 'present', fields: destination },
      ...(options.base === undefined ? {} : { base: fieldHashesOf(options.base) }),
    },
    { kind: 'activity', tie: options.tie ?? 'source', deleteWins: false },
  )

describe('a run recorded by a watch and a phone', () => {
  const watch = { type: 'run', startTime: '2026-06-01T07:00:00Z', durationMs: 1_800_000, distance: 5_010.5, calories: 300, streams: { heartRate: [[0, 120], [5, 130]] } }
  const phone = { type: 'run', startTime: '2026-06-01T07:00:12Z', durationMs: 1_790_000, distance: 5_120, calories: 280, streams: { gps: [[0, 48.1, 11.5]] }, notes: 'by the river' }
  const ruling = merge(watch, phone)

  it('starts and lasts as the source says (R 4.5a)', () => {
    expect(ruling.fields).toMatchObject({ startTime: watch.startTime, durationMs: watch.durationMs })
  })

  it('has the higher distance and the higher calories (R 4.5b)', () => {
    expect(ruling.fields).toMatchObject({ distance: 5_120, calories: 300 })
  })

  it('has the streams of both (R 4.5c)', () => {
    expect(ruling.fields?.streams).toEqual({ heartRate: watch.streams.heartRate, gps: phone.streams.gps })
  })

  it('keeps what only one of them told', () => {
    expect(ruling.fields).toMatchObject({ notes: 'by the river', type: 'run' })
  })

  it('says for each field that differed who won and why', () => {
    expect(ruling).toMatchObject({ take: 'merged', rule: 'merge-activity' })
    expect(ruling.provenance).toEqual([
      { field: 'startTime', rule: 'activity-time-from-source', winner: 'source' },
      { field: 'durationMs', rule: 'activity-time-from-source', winner: 'source' },
      { field: 'distance', rule: 'activity-higher', winner: 'destination' },
      { field: 'calories', rule: 'activity-higher', winner: 'source' },
      { field: 'streams', rule: 'activity-streams-joined', winner: 'merged' },
      { field: 'notes', rule: 'only-at-destination', winner: 'destination' },
    ])
  })
})

describe('two recordings', () => {
  const cases: ReadonlyArray<readonly [name: string, a: Fields, b: Fields, merged: Fields]> = [
    ['decimal texts are amounts', { distance: '900' }, { distance: '1000.5' }, { distance: '1000.5' }],
    ['text and number are compared', { distance: 900 }, { distance: '1000.5' }, { distance: '1000.5' }],
    ['an amount that is none ties', { distance: 'far' }, { distance: 10 }, { distance: 'far' }],
    ['only the destination knows the start', {}, { startTime: 't' }, { startTime: 't' }],
    ['only one has calories', { calories: 5 }, {}, { calories: 5 }],
    ['of one stream the longer recording', { streams: { gps: [1] } }, { streams: { gps: [1, 2] } }, { streams: { gps: [1, 2] } }],
    ['of one stream equally long ties', { streams: { gps: [1] } }, { streams: { gps: [2] } }, { streams: { gps: [1] } }],
    ['streams that are none tie', { streams: 'a' }, { streams: { gps: [1] } }, { streams: 'a' }],
    ['a stream called __proto__', { streams: { a: [1] } }, { streams: JSON.parse('{"__proto__":[2]}') as Json }, { streams: JSON.parse('{"a":[1],"__proto__":[2]}') as Json }],
  ]
  it.each(cases)('%s', (_, a, b, merged) => {
    expect(merge(a, b).fields).toEqual(merged)
  })

  it('merge their other fields three-way where there is a base', () => {
    expect(merge({ title: 'Run' }, { title: 'River run' }, { base: { title: 'Run' } }).fields).toEqual({ title: 'River run' })
  })

  it('come back where one was edited and the other deleted', () => {
    const rules = { kind: 'activity', tie: 'source', deleteWins: true } as const
    expect(mergeActivity({ met: 'edit-delete', source: { is: 'present', fields: {} }, destination: { is: 'deleted' } }, rules)).toEqual({ take: 'source', rule: 'edit-wins' })
    expect(mergeActivity({ met: 'delete-edit', source: { is: 'deleted' }, destination: { is: 'present', fields: {} } }, rules)).toEqual({ take: 'destination', rule: 'edit-wins' })
  })
})

describe('the merge of activities', () => {
  const amount = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('1', '2.5', 'x'))
  const samples = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })
  const activity: fc.Arbitrary<Fields> = fc.record({
    startTime: fc.constantFrom('t1', 't2'),
    durationMs: fc.integer({ min: 0, max: 3 }),
    distance: amount,
    calories: amount,
    streams: fc.dictionary(fc.constantFrom('gps', 'heartRate', 'power'), samples, { maxKeys: 3 }),
    title: fc.constantFrom('a', 'b'),
  }, { requiredKeys: [] })
  const tie = fc.constantFrom<'source' | 'destination'>('source', 'destination')

  it('absorbs: a crash after either write leads to the same result', () => {
    fc.assert(fc.property(fc.option(activity, { nil: undefined }), activity, activity, tie, (base, a, c, t) => {
      const options = { ...(base === undefined ? {} : { base }), tie: t }
      const m = merge(a, c, options).fields ?? {}
      expect(merge(m, c, options).fields).toEqual(m)
      expect(merge(a, m, options).fields).toEqual(m)
    }), { numRuns: 1_500 })
  })

  it('has every stream that a side has', () => {
    fc.assert(fc.property(activity, activity, (a, c) => {
      const names = (fields: Fields | undefined): ReadonlyArray<string> => Object.keys(fields?.streams ?? {})
      expect([...names(merge(a, c).fields)].sort()).toEqual([...new Set([...names(a), ...names(c)])].sort())
    }))
  })
})
