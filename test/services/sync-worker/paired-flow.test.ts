/** Two-way flows gone through page by page: the same outcome as planned whole, guards before the first write, crashes anywhere. */
import { describe, expect, it } from 'vitest'
import { checkpointOf, flowOf, linksOf, put, rigOf, shown, type More, type Rig } from '../../support/paired-rig.ts'

const inSync = async (count: number, more: More = {}): Promise<Rig> => {
  const rig = rigOf(0, more)
  for (let n = 0; n < count; n++) put(rig.a, `k${n}`, `v${n}`)
  expect((await rig.run()).outcome).toBe('succeeded')
  rig.newWrites()
  return rig
}

describe('a first sync gone through page by page', () => {
  it('adopts what is equal, copies what one side has, and lets the strategy decide what differs', async () => {
    const rig = rigOf(0)
    for (const key of ['p', 'q', 'r']) for (const store of [rig.a, rig.b]) put(store, key, key)
    put(rig.a, 'only here', '1')
    put(rig.b, 'only there', '2')
    put(rig.a, 'differs', 'of a')
    put(rig.b, 'differs', 'of b')
    const flow = flowOf(await rig.run())
    expect(flow).toMatchObject({ outcome: 'succeeded', phase: 'first', links: 6, counts: { adopted: 3, created: 2, updated: 1, conflicts: 1 } })
    expect(shown(rig.a)).toEqual({ p: 'p', q: 'q', r: 'r', 'only here': '1', 'only there': '2', differs: 'of a' })
    expect(shown(rig.b)).toEqual(shown(rig.a))
    expect(rig.archived.map(({ key, side }) => [key, side])).toEqual([['differs', 'destination']])
    expect(rig.created.flatMap(({ side, items }) => items.map(({ key }) => [side, key]))).toEqual([['destination', 'only here'], ['source', 'only there']])
    expect(checkpointOf(rig)).toMatchObject({ phase: 'delta', links: 6 })
  })

  it('is followed by silence, and then by deltas', async () => {
    const rig = await inSync(7)
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', phase: 'delta' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    put(rig.b, 'k3', 'edited there')
    put(rig.a, 'k5', 'edited here')
    rig.a.removeKey('k0')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', counts: { updated: 2, deleted: 1 } })
    expect(shown(rig.a)).toMatchObject({ k3: 'edited there', k5: 'edited here' })
    expect(shown(rig.b)).toEqual(shown(rig.a))
    expect(linksOf(rig).size).toBe(6)
  })

  it('is shown by a dry run without a write, and held by a person with the same plan', async () => {
    const rig = rigOf(0, { connection: { hold: { at: 1, reason: 'not now' } } })
    for (let n = 0; n < 5; n++) put(rig.a, `a${n}`, 'x')
    for (let n = 0; n < 4; n++) put(rig.b, `b${n}`, 'y')
    const dry = flowOf(await rig.run({ dryRun: true }))
    expect(dry).toMatchObject({ movesTotal: 9, counts: { read: 9, created: 0 } })
    expect(dry.moves?.map(({ on }) => on).sort()).toEqual([...Array.from({ length: 5 }, () => 'destination'), ...Array.from({ length: 4 }, () => 'source')])
    expect(checkpointOf(rig)).toBeNull()
    const held = await rig.run()
    expect(flowOf(held)).toMatchObject({ outcome: 'held', heldBy: 'person' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    const plan = flowOf(held).plan
    expect(plan).toBe(dry.plan)
    expect(flowOf(await rig.run({ approved: String(plan) }))).toMatchObject({ outcome: 'succeeded', counts: { created: 9 } })
    expect(shown(rig.b)).toEqual(shown(rig.a))
  })

  it('does nothing while the canary is missing on one side', async () => {
    const rig = rigOf(0, { flow: { guards: { canary: 'canary' } } })
    for (let n = 0; n < 3; n++) put(rig.a, `a${n}`, 'x')
    put(rig.b, 'canary', 'y')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'held', heldBy: 'canary' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    put(rig.a, 'canary', 'y')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', links: 4 })
  })

  it('fails before its first write when one side is read-only and the other has something for it', async () => {
    const rig = rigOf(0, { a: { readOnly: true } })
    for (let n = 0; n < 6; n++) put(rig.a, `a${n}`, 'x')
    put(rig.b, 'z', 'y')
    expect((await rig.run()).outcome).toBe('failed')
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('loses nothing that is done at the destination while the source is still being read', async () => {
    const rig = rigOf(0)
    for (let n = 0; n < 6; n++) for (const store of [rig.a, rig.b]) put(store, `k${n}`, 'same')
    let pages = 0
    // Compared and settled already with the source's first page.
    rig.a.mischief.beforePage = () => {
      if (++pages !== 4) return
      put(rig.b, 'k0', 'edited meanwhile')
      rig.b.removeKey('k1')
    }
    expect((await rig.run()).outcome).toBe('succeeded')
    expect(pages).toBeGreaterThanOrEqual(4)
    expect((await rig.run()).outcome).toBe('succeeded')
    expect(shown(rig.a)).toMatchObject({ k0: 'edited meanwhile' })
    expect(Object.keys(shown(rig.a))).toHaveLength(5)
    expect(shown(rig.b)).toEqual(shown(rig.a))
  })

  it('leaves no news of what it wrote itself', async () => {
    const rig = rigOf(0)
    for (let n = 0; n < 6; n++) put(rig.a, `here ${n}`, 'x')
    for (let n = 0; n < 6; n++) put(rig.b, `there ${n}`, 'x')
    await rig.run()
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', counts: { read: 0, unchanged: 0 } })
  })

  it('tells two spellings of one identity on one side, and writes neither', async () => {
    const rig = rigOf(0)
    for (const key of ['a', 'b', 'caf\u00e9', 'd', 'e', 'cafe\u0301']) put(rig.a, key, 'x')
    const flow = flowOf(await rig.run())
    expect(flow).toMatchObject({ outcome: 'partial', parkedNow: 1, counts: { created: 4 } })
    expect(Object.keys(shown(rig.b)).sort()).toEqual(['a', 'b', 'd', 'e'])
  })

  it('finds an identity that the other side spells differently', async () => {
    const rig = rigOf(0)
    put(rig.a, 'caf\u00e9', 'x')
    put(rig.b, 'cafe\u0301', 'x')
    for (const key of ['a', 'b']) put(rig.b, key, 'y')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', links: 3, counts: { adopted: 1, created: 2 } })
  })
})

describe('a complete reading gone through page by page', () => {
  it('follows deletions, also of what is gone from both sides', async () => {
    const rig = await inSync(9)
    rig.a.removeKey('k0')
    rig.b.removeKey('k1')
    for (const store of [rig.a, rig.b]) store.removeKey('k2')
    put(rig.a, 'k3', 'edited')
    expect(flowOf(await rig.run({ mode: 'full' }))).toMatchObject({ outcome: 'succeeded', phase: 'resync', links: 6, counts: { deleted: 2, updated: 1 } })
    expect(shown(rig.b)).toEqual(shown(rig.a))
    expect(Object.keys(shown(rig.a))).toHaveLength(6)
    expect(linksOf(rig).size).toBe(6)
  })

  it('is held before its first write when a side was emptied, until exactly that is approved', async () => {
    const rig = await inSync(9)
    for (const { key } of rig.b.all()) rig.b.removeKey(key)
    put(rig.a, 'k0', 'edited')
    const held = flowOf(await rig.run({ mode: 'full' }))
    expect(held).toMatchObject({ outcome: 'held', heldBy: 'emptied-side', movesTotal: 9 })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(flowOf(await rig.run({ approved: String(held.plan) }))).toMatchObject({ outcome: 'succeeded', counts: { deleted: 8 } })
    expect(shown(rig.a)).toEqual({ k0: 'edited' })
    expect(shown(rig.b)).toEqual({ k0: 'edited' })
  })

  it('stops when far more would be deleted than was counted', async () => {
    const rig = await inSync(40)
    let pages = 0
    rig.a.mischief.beforePage = () => {
      // Everything was looked at, counted and found harmless; then the other side is emptied.
      if (++pages === 1 + 20 + 1) for (const { key } of rig.b.all()) rig.b.removeKey(key)
    }
    const flow = flowOf(await rig.run({ mode: 'full' }))
    expect(rig.b.all()).toHaveLength(0)
    expect(flow.outcome).toBe('failed')
    expect(40 - rig.a.all().length).toBeLessThanOrEqual(10)
  })

  it('deletes nothing when links were lost, and knows how many there are afterwards', async () => {
    const rig = await inSync(6)
    for (const [flow, ledger] of rig.b.ledgers) rig.b.ledgers.set(flow, { ...ledger, links: new Map([...ledger.links].slice(0, 4)) })
    rig.a.removeKey('k0')
    expect(flowOf(await rig.run({ mode: 'full' }))).toMatchObject({ outcome: 'succeeded', links: 6, counts: { deleted: 0, created: 1, adopted: 2 } })
    expect(checkpointOf(rig)?.links).toBe(linksOf(rig).size)
    rig.a.removeKey('k0')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'succeeded', links: 5, counts: { deleted: 1 } })
  })

  it('tries again what was parked, once', async () => {
    const rig = rigOf(0)
    for (let n = 0; n < 8; n++) put(rig.a, `k${n}`, 'x')
    rig.b.mischief.refuseKeys.add('k1')
    expect(flowOf(await rig.run())).toMatchObject({ outcome: 'partial', counts: { parked: 1, created: 7 }, parkedNow: 1 })
    expect(flowOf(await rig.run({ mode: 'full' }))).toMatchObject({ outcome: 'partial', counts: { parked: 1, created: 0 }, parkedNow: 1 })
    rig.b.mischief.refuseKeys.clear()
    expect(flowOf(await rig.run({ mode: 'full' }))).toMatchObject({ outcome: 'succeeded', counts: { created: 1 }, parkedNow: 0 })
  })
})

describe('a run broken off at any of its commits', () => {
  it('is gone on with by the next one, and nothing is doubled or deleted', async () => {
    for (let at = 1; ; at++) {
      const rig = rigOf(0)
      for (let n = 0; n < 5; n++) for (const store of [rig.a, rig.b]) put(store, `same${n}`, 'x')
      for (let n = 0; n < 5; n++) put(rig.a, `a${n}`, 'x')
      for (let n = 0; n < 5; n++) put(rig.b, `b${n}`, 'x')
      put(rig.a, 'differs', 'of a')
      put(rig.b, 'differs', 'of b')
      const broken = await breakOff(rig, at)
      if (!broken) return expect(at).toBeGreaterThan(5)
      expect((await rig.run()).outcome, `broken off at commit ${at}`).toBe('succeeded')
      expect(shown(rig.b)).toEqual(shown(rig.a))
      expect(rig.a.all()).toHaveLength(16)
      expect(linksOf(rig).size).toBe(16)
      rig.newWrites()
      await rig.run()
      expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    }
  })
})

/** The side goes down with its nth commit; answers whether there were so many. */
const breakOff = async (rig: Rig, at: number): Promise<boolean> => {
  const { ledgers } = rig.b
  let commits = 0
  const set = ledgers.set.bind(ledgers)
  ledgers.set = (flow, ledger) => {
    if (ledger.checkpoint !== ledgers.get(flow)?.checkpoint && ++commits === at) throw new Error('power cut')
    return set(flow, ledger)
  }
  await rig.run().catch(() => undefined)
  ledgers.set = set
  return commits >= at
}
