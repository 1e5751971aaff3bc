/** SYNC.md §E.1 on memory sides: state and classification. The numbers are those of the scenarios there. */
import { describe, expect, it } from 'vitest'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const shown = (rig: EngineRig) => ({
  a: Object.fromEntries(rig.a.all().map(({ key, fields }) => [key, fields])),
  b: Object.fromEntries(rig.b.all().map(({ key, fields }) => [key, fields])),
})

const inSync = async (keys: ReadonlyArray<string> = ['x', 'y', 'z']): Promise<EngineRig> => {
  const rig = engineRig()
  for (const key of keys) rig.a.put({ key, fields: { FN: key } })
  await rig.sync()
  rig.newWrites()
  return rig
}

describe('a two-way flow', () => {
  it('T01 drops the link of an item that is gone from both sides', async () => {
    const rig = await inSync()
    rig.a.removeKey('x')
    rig.b.removeKey('x')
    const result = await rig.sync()
    expect(result.flows[0]?.links).toBe(2)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T02 adopts the same item on both sides without a write', async () => {
    const rig = engineRig()
    rig.a.put({ key: 'x', fields: { FN: 'X' } })
    rig.b.put({ key: 'x', fields: { FN: 'X' } })
    const result = await rig.sync()
    expect(result.flows[0]).toMatchObject({ outcome: 'succeeded', links: 1, counts: { adopted: 1 } })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T03 holds a first-meeting conflict for a person, then lets the source win and keeps the loser', async () => {
    const rig = engineRig({ connection: { strategy: 'manual' } })
    rig.a.put({ key: 'x', fields: { FN: 'A' } })
    rig.b.put({ key: 'x', fields: { FN: 'BB' } })
    expect((await rig.sync()).flows[0]?.counts).toMatchObject({ conflicts: 1, held: 1 })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    rig.options.connection = { strategy: 'source-wins' }
    await rig.sync({ mode: 'full' })
    expect(shown(rig)).toEqual({ a: { x: { FN: 'A' } }, b: { x: { FN: 'A' } } })
    expect(rig.archived).toMatchObject([{ key: 'x', side: 'destination', fields: { FN: 'BB' }, because: 'conflict-loser' }])
  })

  it('T04 carries creates and updates both ways', async () => {
    const rig = await inSync([])
    rig.a.put({ key: 'x', fields: { FN: '1' } })
    await rig.sync()
    rig.b.put({ key: 'x', fields: { FN: '22' } })
    await rig.sync()
    expect(shown(rig).a).toEqual({ x: { FN: '22' } })
    rig.b.put({ key: 'y', fields: { FN: '3' } })
    await rig.sync()
    rig.a.put({ key: 'y', fields: { FN: '44' } })
    await rig.sync()
    expect(shown(rig).a).toEqual(shown(rig).b)
  })

  it('T05 carries a deletion, and a tombstone does not block the same identity later', async () => {
    const rig = await inSync()
    rig.b.removeKey('x')
    await rig.sync()
    expect(Object.keys(shown(rig).a)).toEqual(['y', 'z'])
    rig.a.put({ key: 'x', fields: { FN: 'again' } })
    await rig.sync()
    expect(shown(rig).b['x']).toEqual({ FN: 'again' })
    rig.a.removeKey('x')
    await rig.sync()
    expect(Object.keys(shown(rig).b)).toEqual(['y', 'z'])
  })
  it('T06 is silent when nothing changed, and says quiet', async () => {
    const rig = await inSync()
    await rig.sync()
    const before = rig.state.log.filter(({ key }) => !key.startsWith('lease')).length
    expect((await rig.sync()).quiet).toBe(true)
    expect((await rig.sync()).quiet).toBe(true)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(rig.state.log.filter(({ key }) => !key.startsWith('lease'))).toHaveLength(before)
  })

  it.each([
    ['source-wins', 'AA'],
    ['destination-wins', 'BBB'],
  ])('T07 both edited: %s', async (strategy, winner) => {
    const rig = await inSync()
    rig.options.connection = { strategy }
    rig.a.put({ key: 'x', fields: { FN: 'AA' } })
    rig.b.put({ key: 'x', fields: { FN: 'BBB' } })
    await rig.sync()
    expect([shown(rig).a['x'], shown(rig).b['x']]).toEqual([{ FN: winner }, { FN: winner }])
    expect(rig.archived.map(({ fields }) => fields)).toEqual([{ FN: winner === 'AA' ? 'BBB' : 'AA' }])
    rig.newWrites()
    await rig.sync()
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })
  it('T08 an edit beats a deletion', async () => {
    const rig = await inSync()
    rig.a.put({ key: 'x', fields: { FN: 'edited' } })
    rig.b.removeKey('x')
    await rig.sync()
    expect(shown(rig).a['x']).toEqual({ FN: 'edited' })
    expect(shown(rig).b['x']).toEqual({ FN: 'edited' })
  })

  it('T10 a new version without new content is not a change', async () => {
    const rig = await inSync()
    for (const { remoteId } of rig.a.all()) rig.a.touch(remoteId)
    rig.b.put({ key: 'x', fields: { FN: 'B edit' } })
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 1, b: 0 })
  })
  it('T11 a renamed item is the same item', async () => {
    const rig = await inSync()
    const item = rig.b.byKey('x')[0]
    rig.b.rename(item?.remoteId ?? '', 'other-name')
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    rig.a.put({ key: 'x', fields: { FN: 'after' } })
    await rig.sync()
    expect(rig.b.get('other-name')?.fields).toEqual({ FN: 'after' })
  })

  it('T14 two items that share one identity are set aside, nothing is deleted and the others sync', async () => {
    const rig = engineRig({ a: { delta: false, seenOnly: true }, b: { delta: false } })
    for (const key of ['x', 'y']) rig.a.put({ key, fields: { FN: key } })
    await rig.sync()
    rig.a.put({ key: 'x', remoteId: 'second', fields: { FN: 'twin' } })
    rig.a.put({ key: 'y', fields: { FN: 'y2' } })
    const result = await rig.sync()
    expect(result.outcome).toBe('partial')
    expect(rig.parked).toMatchObject([{ key: 'x', why: expect.stringContaining('DUPLICATE_IDENTITY') as unknown }])
    expect(shown(rig).b).toEqual({ x: { FN: 'x' }, y: { FN: 'y2' } })
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.parked).toHaveLength(1)
  })
  it('T15 an item listed three times is one item', async () => {
    const rig = engineRig({ a: { delta: false, repeats: 3 }, b: { delta: false } })
    rig.a.put({ key: 'x', fields: { FN: 'x' } })
    await rig.sync()
    expect(rig.b.all()).toHaveLength(1)
  })

  it.each([
    ['T19 no version after a write', { silentWrites: true }],
    ['T20 another version on every read', { versions: 'flaky' as const }],
  ])('%s: no endless writing', async (_name, habit) => {
    const rig = engineRig({ a: { delta: false }, b: { delta: false, ...habit } })
    for (const key of ['x', 'y']) rig.a.put({ key, fields: { FN: key } })
    await rig.sync()
    rig.newWrites()
    for (let run = 0; run < 3; run++) await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T22 deleted on both sides: forgotten without a write; T23 created equal on both: adopted', async () => {
    const rig = await inSync()
    rig.a.removeKey('x')
    rig.b.removeKey('x')
    rig.a.put({ key: 'new', fields: { FN: 'same' } })
    rig.b.put({ key: 'new', fields: { FN: 'same' } })
    const result = await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(result.flows[0]?.links).toBe(3)
  })

  it('T25 merges edits of different fields, T26 merges sets by element', async () => {
    const rig = engineRig({ connection: { strategy: 'merge' } })
    rig.a.put({ key: 'x', fields: { FN: 'n', TEL: '1', EMAIL: 'a@b', CATEGORIES: ['x', 'y'] } })
    await rig.sync()
    rig.a.put({ key: 'x', fields: { FN: 'n', TEL: '2', EMAIL: 'a@b', CATEGORIES: ['y'] } })
    rig.b.put({ key: 'x', fields: { FN: 'n', TEL: '1', EMAIL: 'c@d', CATEGORIES: ['x', 'y', 'z'] } })
    await rig.sync()
    const merged = { FN: 'n', TEL: '2', EMAIL: 'c@d', CATEGORIES: ['y', 'z'] }
    expect(shown(rig)).toEqual({ a: { x: merged }, b: { x: merged } })
    rig.newWrites()
    await rig.sync()
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T28 an expired cursor lists again with the same links: unchanged items are not written, deletions are carried', async () => {
    const rig = await inSync(['1', '2', '3', '4', '5', '6', '7', '8'])
    await rig.sync()
    rig.a.expireCursors()
    rig.a.removeKey('1')
    const result = await rig.sync()
    expect(result.flows[0]?.phase).toBe('resync')
    expect(rig.newWrites()).toEqual({ a: 0, b: 1 })
    expect(Object.keys(shown(rig).b)).toHaveLength(7)
  })

  it('T44 an item that changes between the look and the write is looked at again: no lost update', async () => {
    const rig = await inSync()
    rig.a.put({ key: 'x', fields: { FN: 'from A' } })
    let struck = false
    rig.b.mischief.beforeWrite = () => {
      if (struck) return
      struck = true
      rig.b.put({ key: 'x', fields: { FN: 'from B' } })
    }
    await rig.sync()
    expect(shown(rig).b['x']).toEqual({ FN: 'from A' })
    expect(rig.archived.map(({ fields }) => fields)).toContainEqual({ FN: 'from B' })
  })

  it('T45 one item that fails for now keeps the cursor; the next run writes exactly that one', async () => {
    const rig = engineRig()
    for (let i = 0; i < 10; i++) rig.a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    rig.b.mischief.failWrites = 1
    const end = await rig.play()
    expect(end.judgement.is).toBe('retry')
    expect(rig.newWrites().b).toBe(9)
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.newWrites().b).toBe(1)
  })

  it('T46 one item that is refused is parked with its reason; an edit tries it again', async () => {
    const rig = engineRig()
    for (let i = 0; i < 10; i++) rig.a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    rig.b.mischief.refuseKeys.add('k3')
    const result = await rig.sync()
    expect(result).toMatchObject({ outcome: 'partial', flows: [{ parkedNow: 1, counts: { parked: 1, created: 9 } }] })
    expect(rig.parked).toMatchObject([{ key: 'k3' }])
    expect((await rig.sync()).outcome).toBe('succeeded')
    rig.b.mischief.refuseKeys.clear()
    rig.a.put({ key: 'k3', fields: { FN: 'mended' } })
    expect((await rig.sync()).flows[0]?.parkedNow).toBe(0)
    expect(shown(rig).b['k3']).toEqual({ FN: 'mended' })
  })

  it('T63 with the resolver down conflicts wait, the others sync; back up, they settle', async () => {
    const rig = await inSync()
    rig.resolver.up = false
    rig.a.put({ key: 'x', fields: { FN: 'AA' } })
    rig.b.put({ key: 'x', fields: { FN: 'BBB' } })
    rig.a.put({ key: 'y', fields: { FN: 'yy' } })
    const result = await rig.sync()
    expect(result).toMatchObject({ outcome: 'succeeded', quiet: false, flows: [{ warnings: [expect.stringContaining('resolver')] }] })
    expect(shown(rig).b).toMatchObject({ x: { FN: 'BBB' }, y: { FN: 'yy' } })
    rig.resolver.up = true
    await rig.sync()
    expect(shown(rig).b['x']).toEqual({ FN: 'AA' })
  })
})
