/** SYNC.md §E.1 between sides of every kind, memory too, both ways: what makes an item the same item, what a version tells, and who wins. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Remote } from '../chaos/history.ts'
import { allPairs, type RealRig } from '../support/real-sides.ts'
import { agree, nothing, on, written, xyz } from './on-sides.ts'

describe.each(allPairs)('%s', (pair) => {
  const { opened, inSync } = on(pair)

  it('T09 other versions, equal contents: nothing is written, the versions are learnt', async () => {
    const rig = await inSync()
    await rig.sync()
    for (const key of ['x', 'y', 'z']) for (const side of [rig.a, rig.b]) await side.touch(key)
    expect(await written(rig, async () => expect((await rig.sync()).flows[0]?.counts).toMatchObject({ read: 6, updated: 0 }))).toEqual(nothing)
    expect((await rig.sync()).flows[0]?.counts.read).toBe(0)
    await agree(rig, xyz)
  })

  it('T13 an identity changed in place: the old one goes, the new one comes', async () => {
    // A row that goes without a mark is only missed by a sweep (T42).
    const sweep = pair === 'tables that tell what changed' ? { sweep: true } : {}
    const rig = await opened()
    rig.options.sides = { a: sweep, b: sweep }
    for (const [key, entry] of Object.entries(xyz)) await rig.a.put(key, entry)
    await rig.sync()
    await rig.a.rekey('x', 'new-x')
    expect((await rig.sync()).outcome).toBe('succeeded')
    await agree(rig, { 'new-x': xyz.x, y: xyz.y, z: xyz.z })
  })

  it('T24 newest-wins: the later edit where both tell its time; without times, or with equal ones, the source', async () => {
    const rig = await inSync(['x', 'y'], { strategy: 'newest-wins' })
    for (const key of ['x', 'y']) {
      await rig.a.put(key, { name: 'A' })
      await rig.b.put(key, { name: 'BB' })
    }
    const at = Date.now() + 3_600_000
    await rig.a.date?.('x', new Date(at))
    await rig.b.date?.('x', new Date(at))
    await rig.a.date?.('y', new Date(at))
    await rig.b.date?.('y', new Date(at + 300_000))
    await rig.sync()
    await agree(rig, { x: { name: 'A' }, y: { name: rig.b.date === undefined ? 'A' : 'BB' } })
  })

  // Of rows every value is a text.
  if (!pair.startsWith('tables') && !pair.startsWith('files')) it('T26 sets are merged by element', async () => {
    const rig = await opened({ strategy: 'merge' })
    await rig.a.put('x', { name: 'n', tags: ['x', 'y'] })
    await rig.sync()
    await rig.a.put('x', { name: 'n', tags: ['y'] })
    await rig.b.put('x', { name: 'n', tags: ['x', 'y', 'z'] })
    await rig.sync()
    await agree(rig, { x: { name: 'n', tags: ['y', 'z'] } })
  })
})

it.each(['folders of cards', 'folders of events'] as const)('T12 %s: items without an identity of their own, on both sides: each is copied once', async (pair) => {
  const rig = await on(pair).opened()
  const { folder } = rig.ground
  if (folder === undefined) throw new Error('no folder')
  const put = (side: 'a' | 'b', name: string) => writeFile(join(folder.path(side), `${name}${folder.extension}`), folder.nameless({ name }))
  for (const [side, name] of [['a', 'one'], ['a', 'on both'], ['b', 'on both'], ['b', 'three']] as const) await put(side, name)
  const texts = async (side: 'a' | 'b') => Promise.all((await readdir(folder.path(side))).map((name) => readFile(join(folder.path(side), name), 'utf8')))
  const names = async () => Promise.all([rig.a, rig.b].map(async (side) => Object.values(await side.shown()).map(({ name }) => name).sort()))
  expect((await rig.sync()).flows[0]).toMatchObject({ links: 3, counts: { created: 2, adopted: 1 } })
  expect(await names()).toEqual([['on both', 'one', 'three'], ['on both', 'one', 'three']])
  expect([await rig.writesNothing(), await rig.writesNothing()]).toEqual([true, true])
  for (const side of ['a', 'b'] as const) for (const text of await texts(side)) expect(text, 'they stay without one').not.toContain('UID')
  await put('b', 'three')
  expect(await rig.writesNothing(), 'written again as it was').toBe(true)
})

describe('collections of a provider on HTTP', () => {
  const { opened } = on('collections of a provider on HTTP')
  const applied = (rig: RealRig): ReadonlyArray<Remote> => (rig.ground.provider?.remotes ?? []).filter((remote) => remote.applied)

  it.each([['in listings', false], ['in deltas', true]])('T15 everything is said twice, %s: it is one item', async (_how, delta) => {
    const rig = await opened()
    rig.options.sides = { a: { delta } }
    rig.ground.provider?.faults.set([{ do: 'duplicated', collection: 'a' }])
    await rig.a.put('x', { name: 'x' })
    await rig.sync()
    await rig.a.put('x', { name: 'edited' })
    await rig.sync()
    expect(applied(rig)).toMatchObject([{ verb: 'CREATE', side: 'B', key: 'x' }, { verb: 'UPDATE', side: 'B', key: 'x' }])
    await agree(rig, { x: { name: 'edited' } })
    expect(rig.parked).toEqual([])
  })

  it('T19 no etag after a write: what was written is read once more, and nothing is written again', async () => {
    const rig = await opened()
    rig.ground.provider?.faults.set([{ do: 'no-etag', collection: 'b' }])
    for (const [key, entry] of Object.entries(xyz)) await rig.a.put(key, entry)
    await rig.sync()
    expect(applied(rig).map(({ mischief }) => mischief)).toEqual(['no-etag', 'no-etag', 'no-etag'])
    expect((await rig.sync()).flows[0]?.counts).toMatchObject({ read: 3, updated: 0 })
    expect((await rig.sync()).flows[0]?.counts.read).toBe(0)
    expect(applied(rig)).toHaveLength(3)
    await agree(rig, xyz)
  })

  it('T20 another etag in every listing: compared every time, written never', async () => {
    const rig = await opened()
    rig.options.sides = { b: { delta: false } }
    rig.ground.provider?.faults.set([{ do: 'flaky-etags', collection: 'b' }])
    for (const [key, entry] of Object.entries(xyz)) await rig.a.put(key, entry)
    await rig.sync()
    for (let run = 0; run < 3; run++) expect((await rig.sync()).flows[0]?.counts).toMatchObject({ read: 3, updated: 0 })
    expect(applied(rig)).toHaveLength(3)
    await agree(rig, xyz)
  })
})
