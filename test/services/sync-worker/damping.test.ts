/** SYNC.md §B.7: the same item written three times in each direction within ten minutes, or two contents that answer each other. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Link } from '#libs/domain/link.ts'
import { hashOf } from '#libs/domain/record.ts'
import type { SideClass, SideName } from '../../../services/sync-worker/classify.ts'
import { swing, writesAfter } from '../../../services/sync-worker/damping.ts'
import type { Entry } from '../../../services/sync-worker/gather.ts'
import type { Target } from '../../../services/sync-worker/targets.ts'

const minute = 60_000
const start = 1_700_000_000_000
const content = (text: string): SideClass => ({ is: 'changed', hash: hashOf({ text }), item: { remoteId: 'i', key: 'k', version: '1', fields: { text } } })
const entryOf = (text: string, writes: ReadonlyArray<string>): Entry => {
  const link: Link = { key: 'k', st: 'linked', idA: 'i', idB: 'i', writes }
  return { key: 'k', linkKey: 'l', link, a: content(text), b: content(text) }
}
const targetOn = (on: SideName, text: string): Target => {
  const put = { is: 'put', fields: { text } } as const
  return on === 'source' ? { a: put, b: { is: 'as-is' }, because: 'overwritten' } : { a: { is: 'as-is' }, b: put, because: 'overwritten' }
}

type Update = readonly [on: 'a' | 'b', text: string, atMinute: number]
/** At which of these updates, counted from 1, it is called a swing; 0 = at none. */
const noticedAt = (updates: ReadonlyArray<Update>): number => {
  let writes: ReadonlyArray<string> = []
  for (const [n, [on, text, at]] of updates.entries()) {
    const side = on === 'a' ? 'source' : 'destination'
    const now = start + at * minute
    if (swing(entryOf(text, writes), side, now) !== undefined) return n + 1
    writes = writesAfter(entryOf(text, writes), targetOn(side, text), now)
  }
  return 0
}

describe('updates of one item', () => {
  it.each<readonly [what: string, updates: ReadonlyArray<Update>, noticed: number]>([
    ['three to each side with contents of their own', [['a', '1', 0], ['b', '2', 1], ['a', '3', 2], ['b', '4', 3], ['a', '5', 4], ['b', '6', 5]], 6],
    ['two contents that answer each other', [['a', 'x', 0], ['b', 'y', 1], ['a', 'x', 2], ['b', 'y', 3]], 4],
    ['the same in eleven minutes', [['a', '1', 0], ['b', '2', 3], ['a', '3', 5], ['b', '4', 7], ['a', '5', 9], ['b', '6', 11]], 0],
    ['one side only, however often', [['b', '1', 0], ['b', '2', 1], ['b', '3', 2], ['b', '4', 3], ['b', '5', 4], ['b', '6', 5], ['b', '7', 6]], 0],
    ['one side to and fro: somebody at work', [['b', 'x', 0], ['b', 'y', 1], ['b', 'x', 2], ['b', 'y', 3], ['b', 'x', 4]], 0],
    ['the same content again and again', [['a', 'x', 0], ['b', 'x', 1], ['a', 'x', 2], ['b', 'x', 3]], 0],
  ])('%s', (_, updates, noticed) => expect(noticedAt(updates)).toBe(noticed))

  it('are remembered for ten minutes, eight at most, and no swing lasts longer than six of them', () => {
    const update = fc.tuple(fc.constantFrom('a' as const, 'b' as const), fc.constantFrom('x', 'y', 'z'), fc.nat(3))
    fc.assert(fc.property(fc.array(update, { maxLength: 30 }), (steps) => {
      let writes: ReadonlyArray<string> = []
      let at = 0
      for (const [on, text, wait] of steps) {
        at += wait
        writes = writesAfter(entryOf(text, writes), targetOn(on === 'a' ? 'source' : 'destination', text), start + at * minute)
        expect(writes.length).toBeLessThanOrEqual(8)
      }
    }))
    fc.assert(fc.property(fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 6, maxLength: 12 }), (texts) => {
      const noticed = noticedAt(texts.map((text, n): Update => [n % 2 === 0 ? 'a' : 'b', text, 0]))
      expect(noticed).toBeGreaterThan(0)
      expect(noticed).toBeLessThanOrEqual(6)
    }))
  })
})
