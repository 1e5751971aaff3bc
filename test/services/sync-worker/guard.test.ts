/** SYNC.md §C and §B.7 at their limits. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Guards } from '#libs/domain/connection.ts'
import { guard, type PlanTotals } from '../../../services/sync-worker/guard.ts'

const calm: PlanTotals = { linksA: 100, linksB: 100, deletesA: 0, deletesB: 0, createsA: 0, createsB: 0, changedA: 0, changedB: 0, emptyA: false, emptyB: false, firstSync: false, observed: 0, writes: 0 }
const by = (more: Partial<PlanTotals>, guards: Guards = {}): string => {
  const verdict = guard({ ...calm, ...more }, guards)
  return verdict.is === 'held' ? verdict.by : 'go'
}

describe('a whole plan', () => {
  it.each<readonly [what: string, totals: Partial<PlanTotals>, guards: Guards, verdict: string]>([
    ['nothing to do', {}, {}, 'go'],
    ['ten deletes of ten', { linksB: 10, deletesB: 10 }, {}, 'go'],
    ['eleven deletes of 44: a quarter', { linksB: 44, deletesB: 11, observed: 11, writes: 11 }, {}, 'go'],
    ['eleven deletes of 43: more than a quarter', { linksB: 43, deletesB: 11, observed: 11, writes: 11 }, {}, 'mass-delete'],
    ['the same at the source', { linksA: 43, deletesA: 11, observed: 11, writes: 11 }, {}, 'mass-delete'],
    ['allowed by the flow', { linksB: 43, deletesB: 11, observed: 11, writes: 11 }, { maxDeleteShare: 0.5 }, 'go'],
    ['five deletes of nine, where the flow allows none', { linksB: 9, deletesB: 5 }, { maxDeletes: 0 }, 'mass-delete'],
    ['a side that shows nothing, and something would follow', { linksA: 1, emptyA: true, deletesB: 1, observed: 1, writes: 1 }, {}, 'emptied-side'],
    ['a side that shows nothing, and nothing follows', { linksB: 5, emptyB: true }, {}, 'go'],
    ['18 of 20 changed', { linksA: 20, changedA: 18, observed: 18, writes: 18 }, {}, 'go'],
    ['19 of 20 changed', { linksA: 20, changedA: 19, observed: 19, writes: 19 }, {}, 'all-changed'],
    ['all of 19 changed', { linksA: 19, changedA: 19, observed: 19, writes: 19 }, {}, 'go'],
    ['ten creates beside one link', { linksB: 1, createsB: 10, observed: 10, writes: 10 }, {}, 'go'],
    ['eleven creates beside 20 links', { linksB: 20, createsB: 11, observed: 11, writes: 11 }, {}, 'create-flood'],
    ['as many creates in a first sync', { linksB: 20, createsB: 11, observed: 11, writes: 11, firstSync: true }, {}, 'go'],
    ['ten writes for nothing', { observed: 0, writes: 10 }, {}, 'go'],
    ['eleven writes for nothing', { observed: 0, writes: 11 }, {}, 'amplification'],
    ['40 writes for ten changes', { observed: 10, writes: 40 }, {}, 'go'],
    ['41 writes for ten changes', { observed: 10, writes: 41 }, {}, 'amplification'],
    ['a canary that is missing, in a first sync as well', { canaryMissing: 'source', firstSync: true }, { canary: 'x' }, 'canary'],
  ])('%s: %s %s → %s', (_, totals, guards, verdict) => expect(by(totals, guards)).toBe(verdict))

  it('that amplifies says of how many changes how many writes became', () => {
    expect(guard({ ...calm, observed: 2, writes: 99 }, {})).toMatchObject({ message: '2 changes would lead to 99 writes' })
  })

  it('with one write or two for each change is never held for amplifying', () => {
    fc.assert(fc.property(fc.nat(10_000), fc.nat(2), (observed, each) => by({ linksA: 1e6, linksB: 1e6, observed, writes: observed * each }) === 'go'))
  })
})
