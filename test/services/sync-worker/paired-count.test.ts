/** A plan that is counted page by page: its hash and numbers do not depend on where a page ends, and do on every move. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Planned } from '../../../services/sync-worker/flow-end.ts'
import { addTo, isBeyond, nothingCounted, viewOfCounted, type Counted } from '../../../services/sync-worker/paired-count.ts'
import type { Move } from '../../../services/sync-worker/plan.ts'

const moves: ReadonlyArray<Move> = [{ do: 'nothing' }, { do: 'adopt' }, { do: 'create', on: 'source' }, { do: 'update', on: 'destination' }, { do: 'delete', on: 'source' }, { do: 'delete', on: 'destination' }]
const planned = (key: string, move: Move): Planned => ({ entry: { key, linkKey: key, link: undefined, a: { is: 'never' }, b: { is: 'never' } }, move })
const plans = fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), fc.constantFrom(...moves)), { maxLength: 20 }).map((all) => all.map(([key, move], n) => planned(`${n} ${key}`, move)))

const counted = (pages: ReadonlyArray<ReadonlyArray<Planned>>): Counted => {
  const all = nothingCounted()
  for (const page of pages) addTo(all, page)
  return all
}

describe('a plan counted page by page', () => {
  it('is the same wherever its pages end', () => {
    fc.assert(fc.property(plans, fc.nat({ max: 20 }), (all, at) => {
      const [whole, cut] = [counted([all]), counted([all.slice(0, at), all.slice(at)])]
      expect(cut.totals).toEqual(whole.totals)
      expect(viewOfCounted(cut)).toEqual(viewOfCounted(whole))
    }))
  })

  it('has another hash when one move is another', () => {
    fc.assert(fc.property(plans, fc.nat({ max: 19 }), (all, at) => {
      fc.pre(at < all.length)
      const other = all.map((one, n) => (n === at ? planned(one.entry.key, one.move.do === 'update' ? { do: 'create', on: 'destination' } : { do: 'update', on: 'destination' }) : one))
      expect(viewOfCounted(counted([other])).hash).not.toBe(viewOfCounted(counted([all])).hash)
    }))
  })

  it('shows 500 moves, and counts them all', () => {
    const all = Array.from({ length: 700 }, (_, n) => planned(`${n}`, { do: 'delete', on: 'source' }))
    const view = viewOfCounted(counted([all.slice(0, 450), all.slice(450)]))
    expect([view.moves.length, view.total]).toEqual([500, 700])
    expect(view.moves.map(({ key }) => key)).toEqual(all.slice(0, 500).map(({ entry }) => entry.key))
  })

  it('allows ten more deletes of a side than were counted, and no eleventh', () => {
    const deletes = (count: number): ReadonlyArray<Planned> => Array.from({ length: count }, (_, n) => planned(`${n}`, { do: 'delete', on: 'destination' }))
    const allowed = counted([deletes(3)]).totals
    const done = counted([deletes(5)]).totals
    expect(isBeyond(done, deletes(8), allowed)).toBe(false)
    expect(isBeyond(done, deletes(9), allowed)).toBe(true)
  })
})
