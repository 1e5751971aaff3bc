/** The scenarios of SYNC.md §E.1 to E.4 between real sides, both ways; the same numbers as on memory. */
import { describe, expect, it } from 'vitest'
import { beforeFirstWrite, failing } from '../support/between.ts'
import { realPairs, type Entry } from '../support/real-sides.ts'
import { agree, both, on, xyz } from './on-sides.ts'

describe.each(realPairs)('%s', (pair) => {
  const { opened, inSync } = on(pair)
  const isFolder = pair.startsWith('folders')

  it('T01, T22 deleted on both sides: forgotten without a write', async () => {
    const rig = await inSync()
    await rig.a.remove('x')
    await rig.b.remove('x')
    expect(await rig.writesNothing()).toBe(true)
    expect((await rig.sync()).flows[0]?.links).toBe(2)
  })

  it('T02, T23 the same on both sides: adopted without a write', async () => {
    const rig = await opened()
    for (const side of [rig.a, rig.b]) await side.put('x', { name: 'X' })
    expect(await rig.writesNothing()).toBe(true)
    for (const side of [rig.a, rig.b]) await side.put('later', { name: 'The same' })
    expect(await rig.writesNothing()).toBe(true)
    expect((await rig.sync()).flows[0]?.links).toBe(2)
  })

  it('T03 a first meeting in conflict is held; then the source wins and the loser is kept', async () => {
    const rig = await opened({ strategy: 'manual' })
    await rig.a.put('x', { name: 'A' })
    await rig.b.put('x', { name: 'Other' })
    expect(await rig.writesNothing()).toBe(true)
    rig.options.connection = { strategy: 'source-wins' }
    await rig.sync({ mode: 'full' })
    await agree(rig, { x: { name: 'A' } })
    expect(rig.archived).toMatchObject([{ key: 'x', side: 'destination', because: 'conflict-loser' }])
  })

  it('T04 creates and updates go both ways', async () => {
    const rig = await inSync([])
    for (const [side, key, name] of [['a', 'x', '1'], ['b', 'x', '22'], ['b', 'y', '333'], ['a', 'y', '4444']] as const) {
      await rig[side].put(key, { name })
      await rig.sync()
    }
    await agree(rig, { x: { name: '22' }, y: { name: '4444' } })
  })

  it('T05 a deletion is carried, and its tombstone does not block the same identity later', async () => {
    const rig = await inSync()
    await rig.b.remove('x')
    await rig.sync()
    await agree(rig, { y: xyz.y, z: xyz.z })
    await rig.a.put('x', { name: 'again' })
    await rig.sync()
    await agree(rig, { ...xyz, x: { name: 'again' } })
    await rig.a.remove('x')
    await rig.sync()
    await agree(rig, { y: xyz.y, z: xyz.z })
  })

  it.each([['a', 'b'], ['b', 'a']] as const)('T05 written at %s, carried to %s and removed there before anybody looked again: gone on both', async (here, there) => {
    const rig = await inSync()
    await rig.sync()
    await rig[here].put('w', { name: 'w' })
    await rig.sync()
    await rig[there].remove('w')
    await rig.sync()
    await agree(rig, xyz)
  })

  it('T06 in sync: nothing is written, and the run says quiet', async () => {
    const rig = await inSync()
    await agree(rig, xyz)
    expect((await rig.sync()).quiet).toBe(true)
  })

  it.each([['source-wins', 'AA', 'BBB'], ['destination-wins', 'BBB', 'AA']])('T07 both edited, %s: the loser is kept', async (strategy, winner, loser) => {
    const rig = await inSync(['x'], { strategy })
    await rig.a.put('x', { name: 'AA' })
    await rig.b.put('x', { name: 'BBB' })
    await rig.sync()
    await agree(rig, { x: { name: winner } })
    expect(JSON.stringify(rig.archived.map(({ fields }) => fields))).toContain(loser)
  })

  it('T08 an edit beats a deletion', async () => {
    const rig = await inSync()
    await rig.a.put('x', { name: 'edited' })
    await rig.b.remove('x')
    await rig.sync()
    await agree(rig, { ...xyz, x: { name: 'edited' } })
  })

  it('T10, T32 written again with the same content: nothing is written to the other side', async () => {
    const rig = await inSync()
    await rig.a.put('x', { name: 'away for a while' })
    await rig.a.put('x', xyz.x)
    const before = await rig.b.marks()
    await rig.sync()
    expect(await rig.b.marks()).toEqual(before)
    await agree(rig, xyz)
  })

  // A row, and a record of a file, has no place but its key.
  if (isFolder || pair === 'collections of a provider on HTTP') it('T11, T33 moved to another place: the same item', async () => {
    const rig = await inSync()
    await rig.b.move?.('x')
    expect(await rig.writesNothing()).toBe(true)
    await rig.a.put('x', { name: 'after' })
    await rig.sync()
    await agree(rig, { ...xyz, x: { name: 'after' } })
  })

  // Elsewhere no two items can have one identity: a key is unique, of two records the later stands, the provider answers 409.
  if (isFolder) it('T14 two items of one identity are set aside, nothing is deleted, the others sync', async () => {
    const rig = await inSync()
    await rig.a.twin?.('x', { name: 'the twin' })
    await rig.a.put('y', { name: 'y edited' })
    expect((await rig.sync()).outcome).toBe('partial')
    expect(rig.parked).toMatchObject([{ key: 'x', why: expect.stringContaining('DUPLICATE_IDENTITY') as unknown }])
    expect(await rig.b.shown()).toEqual({ ...xyz, y: { name: 'y edited' } })
  })

  it('T16 odd ids travel unharmed', async () => {
    const keys = ['Ümläut', '%41', 'a b', 'A', 'a', '日本', `long-${'n'.repeat(200)}`, 'semi;colon, and more']
    const rig = await opened()
    const wanted: Record<string, Entry> = {}
    // Two file names may not differ in case only, on every file system; two rows may.
    for (const key of !isFolder ? keys : keys.filter((one) => one !== 'A' && !one.includes(';'))) await rig.a.put(key, (wanted[key] = { name: `name of ${key}`.replaceAll(/[;,]/g, '') }))
    await rig.sync()
    await agree(rig, wanted)
  })

  it('T21 every write to one side fails: the other direction goes on, and one run after the repair all is well', async () => {
    const rig = await inSync()
    await rig.a.put('of-a', { name: 'of A' })
    await rig.b.put('of-b', { name: 'from B' })
    rig.options.between = failing(() => true)
    await rig.sync()
    expect(Object.keys(await rig.a.shown())).toContain('of-b')
    expect(Object.keys(await rig.b.shown())).not.toContain('of-a')
    rig.options.between = undefined
    await rig.sync()
    await agree(rig, { ...xyz, 'of-a': { name: 'of A' }, 'of-b': { name: 'from B' } })
  })

  it('T25 edits of different fields are merged', async () => {
    const rig = await opened({ strategy: 'merge' })
    await rig.a.put('x', { name: 'n', mail: 'a@b' })
    await rig.sync()
    await rig.a.put('x', { name: 'new name', mail: 'a@b' })
    await rig.b.put('x', { name: 'n', mail: 'another@b' })
    await rig.sync()
    await agree(rig, { x: { name: 'new name', mail: 'another@b' } })
  })

  it('T44 an item that changes between the look and the write is looked at again: no lost update', async () => {
    const rig = await inSync()
    await rig.a.put('x', { name: 'from A' })
    rig.options.between = beforeFirstWrite(() => rig.b.put('x', { name: 'a late edit of B' }))
    await rig.sync()
    await agree(rig, { ...xyz, x: { name: 'from A' } })
    expect(JSON.stringify(rig.archived.map(({ fields }) => fields))).toContain('a late edit of B')
  })

  it('T45 one of ten fails for now: nine are written, the next run writes exactly that one', async () => {
    const rig = await opened()
    for (let n = 0; n < 10; n++) await rig.a.put(`k${n}`, { name: `${n}` })
    rig.options.between = failing((key) => key === 'k3')
    await rig.sync()
    const nine = await rig.b.marks()
    expect(Object.keys(nine)).toHaveLength(9)
    rig.options.between = undefined
    expect((await rig.sync()).flows[0]?.counts).toMatchObject({ created: 1, updated: 0 })
    expect(await rig.b.marks()).toMatchObject(nine)
    expect(Object.keys(await rig.b.shown())).toHaveLength(10)
  })

  it('T63 with the resolver down conflicts wait, the others sync; back up, they settle', async () => {
    const rig = await inSync()
    rig.resolver.up = false
    await rig.a.put('x', { name: 'AA' })
    await rig.b.put('x', { name: 'BBB' })
    await rig.a.put('y', { name: 'yy' })
    await rig.sync()
    expect(await rig.b.shown()).toMatchObject({ x: { name: 'BBB' }, y: { name: 'yy' } })
    rig.resolver.up = true
    await rig.sync()
    await agree(rig, { x: { name: 'AA' }, y: { name: 'yy' }, z: xyz.z })
  })

  it('T67, T70 an emptied side is held; the approval of another plan does not count, that of this one does', async () => {
    const many = Array.from({ length: 30 }, (_, n) => `k${n}`)
    const rig = await inSync(many)
    for (const key of many) await rig.a.remove(key)
    const held = await rig.sync()
    // A delta names what is gone; only a listing can be empty.
    const isDelta = pair === 'tables that tell what changed' || pair === 'collections of a provider on HTTP'
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: isDelta ? 'mass-delete' : 'emptied-side' }] })
    expect(Object.keys(await rig.b.shown())).toHaveLength(30)
    await rig.b.remove('k0')
    const plan = held.flows[0]?.plan ?? ''
    const again = await rig.sync({ approved: plan })
    expect(again.outcome).toBe('held')
    await rig.sync({ approved: again.flows[0]?.plan ?? '' })
    expect(await both(rig)).toEqual([{}, {}])
  })

  it('T71 a dry run tells what the run then does, and writes nothing anywhere', async () => {
    const rig = await inSync()
    await rig.a.put('x', { name: 'edited' })
    await rig.b.remove('z')
    const [a, b] = [await rig.a.marks(), await rig.b.marks()]
    const told = (await rig.sync({ dryRun: true })).flows[0]?.moves
    expect([await rig.a.marks(), await rig.b.marks()]).toEqual([a, b])
    expect(told?.map(({ key, do: what }) => `${what} ${key}`).toSorted()).toHaveLength(2)
    await rig.sync()
    await agree(rig, { x: { name: 'edited' }, y: xyz.y })
  })
})

it.each(['tables', 'tables that tell what changed', 'collections of a provider on HTTP'] as const)('T46, T66 %s: an item that is refused is parked, the others are written; an edit tries it again', async (pair) => {
  const { opened } = on(pair)
  const rig = await opened()
  // A constraint of the table refuses the name; the provider answers 422 to the key.
  const there = rig.ground.provider?.collection('b')
  if (there !== undefined) there.settings = { ...there.settings, refuses: ['k3'] }
  for (let n = 0; n < 10; n++) await rig.a.put(`k${n}`, { name: n === 3 ? 'unwanted' : `${n}` })
  expect(await rig.sync()).toMatchObject({ outcome: 'partial', flows: [{ parkedNow: 1, counts: { parked: 1, created: 9 } }] })
  expect(rig.parked).toMatchObject([{ key: 'k3' }])
  expect(Object.keys(await rig.b.shown())).toHaveLength(9)
  expect(await rig.writesNothing()).toBe(true)
  if (there !== undefined) there.settings = { ...there.settings, refuses: [] }
  expect(await rig.writesNothing(), 'tried again only when it was edited').toBe(true)
  await rig.a.put('k3', { name: 'mended' })
  expect((await rig.sync()).flows[0]?.parkedNow).toBe(0)
  expect(await rig.b.shown()).toMatchObject({ k3: { name: 'mended' } })
})
