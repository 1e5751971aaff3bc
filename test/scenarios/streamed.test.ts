/** What only a streamed flow can get wrong: pages, generations, and the deletes at its end. */
import { describe, expect, it } from 'vitest'
import { inSync, isQuiet, many, shown, streamed } from './in-sync.ts'

describe('a source that is listed on every run', () => {
  const listing = { ...streamed, a: { delta: false, seenOnly: true, pageSize: 3 } }

  it('carries a deletion each time, not only after its first listing', async () => {
    const rig = await inSync(listing, many(8))
    for (const key of ['k1', 'k4']) {
      rig.a.removeKey(key)
      await rig.sync()
      expect(rig.newWrites().b, key).toBe(1)
    }
    expect(Object.keys(shown(rig).b)).toHaveLength(6)
  })

  it('is not fetched again while its versions stand', async () => {
    const rig = await inSync(listing, many(8))
    rig.a.put({ key: 'k2', fields: { FN: 'edited' } })
    expect((await rig.sync()).flows[0]?.counts).toMatchObject({ read: 1, updated: 1 })
    expect((await rig.sync()).flows[0]?.counts.read).toBe(0)
  })

  it('forgets no deletion when it is killed between its last page and the sweep', async () => {
    const rig = await inSync(listing, many(8))
    rig.a.removeKey('k1')
    let pages = 0
    rig.a.mischief.beforePage = () => void pages++
    rig.b.mischief.beforeWrite = () => {
      throw new Error('killed')
    }
    await rig.play()
    expect(pages).toBe(3)
    delete rig.b.mischief.beforeWrite
    await rig.sync()
    expect(shown(rig).b).not.toHaveProperty('k1')
  })
})

describe.each([['in a delta', streamed], ['in a listing', { ...streamed, a: { delta: false } }]])('a row that cannot be read, %s', (_how, options) => {
  it('is parked under its own name, never deleted, and heals', async () => {
    const rig = await inSync(options)
    rig.a.spoil(rig.a.byKey('x')[0]?.remoteId ?? '', 'garbled')
    expect((await rig.sync()).flows[0]).toMatchObject({ outcome: 'partial', parkedNow: 1, links: 3 })
    expect(Object.keys(shown(rig).b)).toHaveLength(3)
    expect(await isQuiet(rig)).toBe(true)
    rig.a.put({ key: 'x', fields: { FN: 'x' } })
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 0, links: 3 })
    expect(await isQuiet(rig)).toBe(true)
  })

  it('that was never known has no name: it gets one when it can be read', async () => {
    const rig = await inSync(options)
    const { remoteId } = rig.a.put({ key: 'new', fields: { FN: 'new' } })
    rig.a.spoil(remoteId, 'garbled')
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 1, links: 4 })
    rig.a.put({ key: 'new', fields: { FN: 'new' } })
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 0, links: 4 })
    expect(shown(rig).b['new']).toEqual({ FN: 'new' })
  })
})

it('deleted and made again under another id, pages apart: not deleted', async () => {
  const rig = await inSync({ ...streamed, a: { pageSize: 1 } })
  rig.a.removeKey('x')
  rig.a.put({ key: 'y', fields: { FN: 'yy' } })
  rig.a.put({ key: 'x', fields: { FN: 'again' } })
  await rig.sync()
  expect(shown(rig).b).toMatchObject({ x: { FN: 'again' }, y: { FN: 'yy' } })
  expect(await isQuiet(rig)).toBe(true)
})

describe.each([['in a delta', streamed], ['in a listing', { ...streamed, a: { delta: false } }]])('T05 a row that is gone, %s', (_how, options) => {
  it('leaves no link: made anew just as it was, under its old id, it is copied again', async () => {
    const rig = await inSync(options)
    const [old] = rig.a.byKey('x')
    rig.a.removeKey('x')
    expect((await rig.sync()).flows[0]).toMatchObject({ links: 2, counts: { deleted: 1 } })
    rig.a.put({ key: 'x', fields: { FN: 'x' }, remoteId: old?.remoteId ?? '' })
    expect((await rig.sync()).flows[0]).toMatchObject({ links: 3, counts: { created: 1 } })
    expect(shown(rig).b).toMatchObject({ x: { FN: 'x' } })
  })

  it('while it was parked: its copy goes, and nothing stays parked', async () => {
    const rig = await inSync(options)
    rig.a.spoil(rig.a.byKey('x')[0]?.remoteId ?? '', 'garbled')
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 1 })
    rig.a.removeKey('x')
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 0, links: 2, counts: { deleted: 1 } })
    expect(shown(rig).b).not.toHaveProperty('x')
    expect(await isQuiet(rig)).toBe(true)
  })

  it('parked before it was ever copied: forgotten, and no guard is frightened by many of them', async () => {
    const rig = await inSync({ ...options, flow: { guards: { maxBadShare: 1 } } })
    const ids = many(12).map((key) => rig.a.put({ key, fields: { FN: key } }).remoteId)
    for (const id of ids) rig.a.spoil(id, 'garbled')
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 12, links: 15 })
    for (const id of ids) rig.a.remove(id)
    expect((await rig.sync()).flows[0]).toMatchObject({ outcome: 'succeeded', parkedNow: 0, links: 3, counts: { deleted: 0 } })
    expect(await isQuiet(rig)).toBe(true)
  })
})

it('T71 a dry run of a listing tells the deletes beside what is new', async () => {
  const rig = await inSync({ ...streamed, a: { delta: false } }, many(8))
  rig.a.removeKey('k1')
  for (const key of ['n1', 'n2', 'n3']) rig.a.put({ key, fields: { FN: key } })
  const told = (await rig.sync({ dryRun: true })).flows[0]?.moves ?? []
  expect(told.filter((move) => move.do === 'delete')).toEqual([{ key: 'k1', do: 'delete', on: 'destination' }])
  expect((await rig.sync()).flows[0]?.counts).toMatchObject({ created: 3, deleted: 1 })
})
