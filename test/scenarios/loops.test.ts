/**
 * SYNC.md §B on memory and on folders of cards: connections that form a ring, as they may where nobody asked `apply`, or where
 * two spellings of one place hid it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waysRig, type WaysOptions, type WaysRig } from '../support/ways-rig.ts'

const triangle = ['ab: a = b', 'bc: b = c', 'ca: c = a']
const ring = ['ab: a > b', 'bc: b > c', 'cd: c > d', 'da: d > a']

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-loops-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const rounds = async (rig: WaysRig, conns: ReadonlyArray<string>, n: number): Promise<void> => {
  for (let round = 0; round < n; round++) for (const conn of conns) expect((await rig.sync(conn)).outcome, `${conn} in round ${round}`).toBe('succeeded')
}
const orders = [['ab', 'bc', 'ca'], ['ca', 'bc', 'ab'], ['bc', 'ab', 'ca'], ['ab', 'ca', 'bc']] as const

describe.each(['memory', 'files'] as const)('on %s', (where) => {
  const rigOf = (arrows: ReadonlyArray<string>, more: WaysOptions = {}): Promise<WaysRig> =>
    waysRig(arrows, where === 'memory' ? more : { ...more, folder: join(folder, String(count++)) })

  describe.each(orders)('a triangle of two-way connections, played as %s, %s, %s', (...order) => {
    const settled = async (more?: WaysOptions): Promise<WaysRig> => {
      const rig = await rigOf(triangle, more)
      await rig.put('a', 'one')
      await rounds(rig, order, 3)
      return rig
    }

    it('has one item once at each place, and two more rounds write nothing', async () => {
      const rig = await settled()
      for (const place of ['a', 'b', 'c']) expect(await rig.shown(place)).toEqual(['one=one'])
      expect(rig.newWrites()).toBe(2)
      await rounds(rig, order, 2)
      expect(rig.newWrites()).toBe(0)
    })

    it.each(['a', 'b', 'c'])('carries an edit at %s everywhere, and is silent then', async (place) => {
      const rig = await settled()
      await rig.put(place, 'one', 'edited')
      await rounds(rig, order, 3)
      for (const other of ['a', 'b', 'c']) expect(await rig.shown(other)).toEqual(['one=edited'])
      rig.newWrites()
      await rounds(rig, order, 2)
      expect(rig.newWrites()).toBe(0)
    })

    it.each(['a', 'b', 'c'])('carries a deletion at %s everywhere, and is silent then', async (place) => {
      const rig = await settled()
      await rig.put('a', 'two') // a side that shows nothing at all would be held
      await rounds(rig, order, 3)
      await rig.remove(place, 'one')
      await rounds(rig, order, 3)
      for (const other of ['a', 'b', 'c']) expect(await rig.shown(other)).toEqual(['two=two'])
      rig.newWrites()
      await rounds(rig, order, 2)
      expect(rig.newWrites()).toBe(0)
    })

    it('comes to rest after three edits at once', async () => {
      const rig = await settled()
      for (const place of ['a', 'b', 'c']) await rig.put(place, 'one', `by ${place}`)
      await rounds(rig, order, 4)
      const [text] = await rig.shown('a')
      expect(text).toMatch(/^one=by [abc]$/)
      for (const place of ['b', 'c']) expect(await rig.shown(place)).toEqual([text])
      rig.newWrites()
      await rounds(rig, order, 2)
      expect(rig.newWrites()).toBe(0)
    })

    it('takes items that were everywhere before as one, and carries edits of them', async () => {
      const rig = await rigOf(triangle)
      for (const place of ['a', 'b', 'c']) await rig.put(place, 'one')
      await rounds(rig, order, 2)
      expect(rig.newWrites()).toBe(0)
      await rig.put('c', 'one', 'edited')
      await rounds(rig, order, 3)
      for (const place of ['a', 'b', 'c']) expect(await rig.shown(place)).toEqual(['one=edited'])
    })
  })

  describe('split horizon: what was deleted where it was born, before the ring was closed', () => {
    const afterDeletion = async (more?: WaysOptions): Promise<WaysRig> => {
      const rig = await rigOf(triangle, more)
      for (const key of ['stays', 'goes']) await rig.put('a', key)
      for (const conn of ['ab', 'bc']) await rig.sync(conn)
      await rig.remove('a', 'goes')
      for (const conn of ['ca', 'ab', 'bc', 'ca', 'ab', 'bc']) await rig.sync(conn)
      return rig
    }

    it('does not come back the other way round', async () => {
      const rig = await afterDeletion()
      for (const place of ['a', 'b', 'c']) expect(await rig.shown(place)).toEqual(['stays=stays'])
    })

    it('does come back in a build without it', async () => {
      const rig = await afterDeletion({ forgetful: true })
      expect(await rig.shown('a')).toContain('goes=goes')
    })
  })

  describe('a ring of four one-way connections', () => {
    it('takes an item three hops, and is silent then', async () => {
      const rig = await rigOf(ring)
      await rig.put('a', 'one')
      await rounds(rig, ['ab', 'bc', 'cd', 'da'], 2)
      for (const place of ['a', 'b', 'c', 'd']) expect(await rig.shown(place)).toEqual(['one=one'])
      expect(rig.newWrites()).toBe(3)
      await rounds(rig, ['ab', 'bc', 'cd', 'da'], 2)
      expect(rig.newWrites()).toBe(0)
    })
  })

  describe('a chain of four hops', () => {
    const chain = ['ab: a > b', 'bc: b > c', 'cd: c > d', 'de: d > e']
    const all = async (rig: WaysRig): Promise<ReadonlyArray<string>> => {
      const outcomes: Array<string> = []
      for (const conn of ['ab', 'bc', 'cd', 'de']) outcomes.push((await rig.sync(conn)).outcome)
      return outcomes
    }

    it('refuses the fourth, and says why and by which way it came', async () => {
      const rig = await rigOf(chain)
      await rig.put('a', 'far')
      await rig.put('b', 'near')
      expect(await all(rig)).toEqual(['succeeded', 'succeeded', 'succeeded', 'partial'])
      expect(await rig.shown('d')).toEqual(['far=far', 'near=near'])
      expect(await rig.shown('e')).toEqual(['near=near'])
      expect(rig.parked).toHaveLength(1)
      expect(rig.parked[0]).toMatchObject({ conn: 'de', key: 'far', side: 'source', why: expect.stringMatching(/^TOO_MANY_HOPS: .*a → .*b → .*c → .*d → .*e would be 4 hops, and 3 are allowed$/) as unknown })
      // Told once, and left alone
      expect(await all(rig)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded'])
      expect(rig.parked).toHaveLength(1)
    })

    it('says why when it has to refuse most of what there is', async () => {
      const rig = await rigOf(chain)
      for (let n = 0; n < 12; n++) await rig.put('a', `k${n}`)
      for (const conn of ['ab', 'bc', 'cd']) await rig.sync(conn)
      expect((await rig.sync('de')).error).toMatchObject({ is: 'needs-person', message: expect.stringMatching(/12 of 12 records could not be synced.*TOO_MANY_HOPS/) as unknown, mend: expect.stringContaining('nearer') as unknown })
    })

    it('counts anew where a connection of the way is gone', async () => {
      const rig = await rigOf(chain)
      await rig.put('a', 'far')
      await all(rig)
      rig.drop('ab')
      await rig.sync('de', { mode: 'full' })
      expect(await rig.shown('e')).toEqual(['far=far'])
    })
  })
})

describe('connections whose items cannot meet', () => {
  it.each([
    ['a pair', ['ab: a = b']],
    ['one source for many', ['ab: a > b', 'ac: a > c', 'ad: a = d']],
    ['a chain of three', ['ab: a > b', 'bc: b > c', 'cd: c > d']],
  ])('%s: nothing is looked up, nothing is noted', async (_, arrows) => {
    const rig = await waysRig(arrows)
    for (const key of ['x', 'y', 'z']) await rig.put('a', key)
    for (const arrow of arrows) await rig.sync(arrow.slice(0, 2))
    expect(rig.newWrites()).toBe(3 * arrows.length)
    expect(rig.registry.asked).toEqual({ reads: 0, writes: 0 })
  })

  it('where they can meet, a quiet run asks nothing either', async () => {
    const rig = await waysRig(triangle)
    await rig.put('a', 'one')
    for (let n = 0; n < 3; n++) for (const conn of ['ab', 'bc', 'ca']) await rig.sync(conn)
    const before = { ...rig.registry.asked }
    for (const conn of ['ab', 'bc', 'ca']) await rig.sync(conn)
    expect(rig.registry.asked).toEqual(before)
  })
})

describe('a ring into places that keep their ledger themselves', () => {
  it('streams an item three hops, and is silent then', async () => {
    const rig = await waysRig(ring, { transactional: true })
    await rig.put('a', 'one')
    await rounds(rig, ['ab', 'bc', 'cd', 'da'], 2)
    for (const place of ['a', 'b', 'c', 'd']) expect(await rig.shown(place)).toEqual(['one=one'])
    rig.newWrites()
    await rounds(rig, ['ab', 'bc', 'cd', 'da'], 2)
    expect(rig.newWrites()).toBe(0)
  })

  it('refuses a fourth hop, with its reason', async () => {
    const rig = await waysRig(['ab: a > b', 'bc: b > c', 'cd: c > d', 'de: d > e'], { transactional: true })
    await rig.put('a', 'far')
    for (const conn of ['ab', 'bc', 'cd', 'de']) await rig.sync(conn)
    expect(await rig.shown('d')).toEqual(['far=far'])
    expect(await rig.shown('e')).toEqual([])
    expect(rig.parked).toMatchObject([{ conn: 'de', key: 'far', why: expect.stringContaining('TOO_MANY_HOPS') as unknown }])
  })
})
