import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { provenanceKey, ruling, type End, type Provenance, type Way } from '#libs/domain/provenance.ts'

const way = (conn: string): Way => ({ conn, flow: 'main' })
const copy = (hops: ReadonlyArray<string>, conn: string): Provenance => ({ root: { place: hops[0] ?? '', key: 'k' }, hops, conn, flow: 'main', at: 1 })
const end = (place: string, has: boolean, entry?: Provenance): End => ({ place, has, entry })

describe('where an item may be carried', () => {
  it.each<readonly [what: string, from: End, to: End, is: string, note: object | null]>([
    ['born at a, not at b yet: there, and it is noted', end('a', true), end('b', false), 'open', { at: 'to', entry: { root: { place: 'a', key: 'k' }, hops: ['a'], conn: 'x' } }],
    ['our own copy goes on being ours', end('a', true), end('b', true, copy(['a'], 'x')), 'open', null],
    ['back to where our copy came from', end('b', true, copy(['a'], 'x')), end('a', true), 'open', null],
    ['a copy of another flow goes on, with its way', end('b', true, copy(['a'], 'other')), end('c', false), 'open', { at: 'to', entry: { root: { place: 'a', key: 'k' }, hops: ['a', 'b'] } }],
    ['not to where it was born, though it is not there any more', end('c', true, copy(['a', 'b'], 'other')), end('a', false), 'closed', null],
    ['not to a place on its way', end('d', true, copy(['a', 'b', 'c'], 'other')), end('b', false), 'closed', null],
    ['not from its root to a place that has it by another way', end('a', true), end('c', true, copy(['a', 'b'], 'other')), 'closed', null],
    ['nor where another flow is about to bring it', end('a', true), end('c', false, copy(['a', 'b'], 'other')), 'closed', null],
    ['not between two copies of one root', end('b', true, copy(['a'], 'other')), end('c', true, copy(['a'], 'third')), 'closed', null],
    ['two that were born apart and meet: one becomes the copy', end('a', true), end('b', true), 'open', { at: 'to', entry: { hops: ['a'] } }],
    ['one born here meets a copy: it joins its tree', end('d', true), end('b', true, copy(['a'], 'other')), 'open', { at: 'from', entry: { root: { place: 'a', key: 'k' }, hops: ['a', 'b'] } }],
    ['two copies of two roots meet', end('b', true, copy(['a'], 'other')), end('d', true, copy(['c'], 'third')), 'open', null],
    ['a third hop', end('c', true, copy(['a', 'b'], 'other')), end('d', false), 'open', { at: 'to', entry: { hops: ['a', 'b', 'c'] } }],
    ['no fourth', end('d', true, copy(['a', 'b', 'c'], 'other')), end('e', false), 'too-far', null],
  ])('%s', (_, from, to, is, note) => {
    const ruled = ruling(way('x'), 'k', from, to, 9)
    expect(ruled.is).toBe(is)
    if (ruled.is !== 'open') return
    if (note === null) expect(ruled.record).toBeUndefined()
    else expect(ruled.record).toMatchObject(note)
  })

  it('names the whole way when it is too far', () => {
    expect(ruling(way('x'), 'k', end('d', true, copy(['a', 'b', 'c'], 'other')), end('e', false), 1)).toEqual({ is: 'too-far', why: 'TOO_MANY_HOPS: a → b → c → d → e would be 4 hops, and 3 are allowed' })
  })

  it('has one key for one item of one place, in whatever spelling', () => {
    expect(provenanceKey('file:/a', 'Zoe\u0308')).toBe(provenanceKey('file:/a', 'Zo\u00eb'))
    expect(new Set([provenanceKey('a', 'k'), provenanceKey('b', 'k'), provenanceKey('a', 'l')]).size).toBe(3)
    expect(provenanceKey('a', 'k')).toMatch(/^[-\w]{11}\.[-\w]{22}$/)
  })
})

/** Flows between places, in any shape; items are born, and flows carry them, in any order. */
describe('whatever the flows form', () => {
  const places = ['a', 'b', 'c', 'd', 'e']
  const flowsOf = fc.uniqueArray(fc.tuple(fc.nat(4), fc.nat(4)).filter(([x, y]) => x !== y), { minLength: 1, maxLength: 10 })
  const stepsOf = fc.array(fc.oneof(fc.record({ born: fc.nat(4) }), fc.record({ gone: fc.nat(4) }), fc.record({ run: fc.nat(9), back: fc.boolean() })), { maxLength: 60 })

  it('an item is carried along a tree only, at most three hops, and comes to rest', () => {
    fc.assert(fc.property(flowsOf, stepsOf, (flows, steps) => {
      const has = new Map<string, boolean>()
      const noted = new Map<string, Provenance>()
      const carried = new Set<number>()
      const endAt = (place: string): End => end(place, has.get(place) === true, noted.get(place))
      const run = (index: number, back: boolean): boolean => {
        const flow = flows[index]
        if (flow === undefined) return false
        const [from = '', to = ''] = (back ? flow.toReversed() : flow).map((n) => places[n])
        if (has.get(from) !== true || has.get(to) === true) return false
        const ruled = ruling(way(String(index)), 'k', endAt(from), endAt(to), 1)
        if (ruled.is !== 'open') return false
        if (ruled.record !== undefined) noted.set(ruled.record.at === 'to' ? to : from, ruled.record.entry)
        has.set(to, true)
        carried.add(index)
        return true
      }
      for (const step of steps) {
        if ('born' in step) has.set(places[step.born] ?? '', true)
        else if ('gone' in step) has.set(places[step.gone] ?? '', false)
        else run(step.run, step.back)
      }
      for (const { hops } of noted.values()) {
        expect(hops.length).toBeLessThanOrEqual(3)
        expect(new Set(hops).size).toBe(hops.length)
      }
      // It stops by itself: each flow carries at most once in each direction, then there is nothing to do
      let writes = 0
      for (let round = 0; round < 12; round++) for (let index = 0; index < flows.length; index++) for (const back of [false, true]) if (run(index, back)) writes += 1
      expect(writes).toBeLessThanOrEqual(places.length)
    }), { numRuns: 500 })
  })

  it('with one place of birth, the ways it took have no ring', () => {
    fc.assert(fc.property(flowsOf, fc.array(fc.record({ run: fc.nat(9), back: fc.boolean() }), { maxLength: 60 }), (flows, steps) => {
      const has = new Set(['a'])
      const noted = new Map<string, Provenance>()
      const used = new Set<number>()
      for (const { run: index, back } of steps) {
        const flow = flows[index]
        if (flow === undefined) continue
        const [from = '', to = ''] = (back ? flow.toReversed() : flow).map((n) => places[n])
        if (!has.has(from)) continue
        // An edit of what is there, or a first copy: both are writes
        const ruled = ruling(way(String(index)), 'k', end(from, true, noted.get(from)), end(to, has.has(to), noted.get(to)), 1)
        if (ruled.is !== 'open') continue
        if (ruled.record !== undefined) noted.set(ruled.record.at === 'to' ? to : from, ruled.record.entry)
        has.add(to)
        used.add(index)
      }
      expect(used.size).toBe(has.size - 1)
    }), { numRuns: 500 })
  })
})
