/** SYNC.md §E.1: what makes an item the same item. */
import { describe, expect, it } from 'vitest'
import { engineRig } from '../support/engine-rig.ts'
import { inSync, isQuiet, listed, shown, streamed } from './in-sync.ts'

describe('versions', () => {
  it('T32 edited and put back: listed as changed, nothing is written', async () => {
    const rig = await inSync()
    rig.a.put({ key: 'x', fields: { FN: 'other' } })
    rig.a.put({ key: 'x', fields: { FN: 'x' } })
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })
})

describe('identities', () => {
  it('T12 items without an identity of their own are matched by content and copied once', async () => {
    // A connector that finds no UID makes the content's hash the key, as the folder connector does.
    const rig = await inSync({}, ['hash-1', 'hash-2'])
    rig.b.put({ key: 'hash-3', fields: { FN: 'three' } })
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 1, b: 0 })
    expect(await isQuiet(rig)).toBe(true)
  })

  it.each([
    ['in a delta', {}],
    ['in a listing', listed],
    ['in a streamed delta', streamed],
    ['in a streamed listing', { ...streamed, a: { delta: false } }],
  ])('T13 an identity changed in place, %s: the old one goes, the new one comes', async (_how, options) => {
    const rig = await inSync(options)
    rig.a.put({ key: 'new-x', remoteId: rig.a.byKey('x')[0]?.remoteId ?? '', fields: { FN: 'x' } })
    await rig.sync()
    expect(Object.keys(shown(rig).b).sort()).toEqual(['new-x', 'y', 'z'])
    expect(await isQuiet(rig)).toBe(true)
  })

  it.each([
    ['in a delta', {}],
    ['in a listing', listed],
    ['in a streamed delta', streamed],
    ['in a streamed listing', { ...streamed, a: { delta: false } }],
  ])('T14 two items come to share one identity, %s: both are set aside, nothing is deleted, the others sync', async (_how, options) => {
    const rig = await inSync(options)
    rig.a.put({ key: 'x', remoteId: 'twin', fields: { FN: 'twin' } })
    rig.a.put({ key: 'y', fields: { FN: 'yy' } })
    expect(await rig.sync()).toMatchObject({ outcome: 'partial', flows: [{ counts: { parked: 1, updated: 1 } }] })
    expect(rig.parked).toMatchObject([{ key: 'x', why: expect.stringContaining('DUPLICATE_IDENTITY') as unknown }])
    expect(shown(rig).b).toEqual({ x: { FN: 'x' }, y: { FN: 'yy' }, z: { FN: 'z' } })
    expect(await isQuiet(rig)).toBe(true)
  })

  it('T14 one of the two goes away: the one that is left is the item, and nothing is deleted', async () => {
    const rig = await inSync()
    const first = rig.a.byKey('x')[0]?.remoteId ?? ''
    rig.a.put({ key: 'x', remoteId: 'twin', fields: { FN: 'twin' } })
    await rig.sync()
    rig.a.remove(first)
    expect((await rig.sync()).flows[0]).toMatchObject({ parkedNow: 0 })
    expect(shown(rig).b['x']).toEqual({ FN: 'twin' })
  })

  it('T14 an item takes the identity of another: neither is deleted', async () => {
    const rig = await inSync()
    rig.a.put({ key: 'y', remoteId: rig.a.byKey('x')[0]?.remoteId ?? '', fields: { FN: 'x' } })
    await rig.sync()
    expect(Object.keys(shown(rig).b).sort()).toEqual(['x', 'y', 'z'])
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it.each([['two-way', {}], ['streamed', streamed]])('T16 odd ids travel unharmed, %s', async (_how, options) => {
    const odd = ['ключ', 'a b', 'a%20b', 'a/b', 'Case', 'case', '__proto__', 'constructor', '..', 'x'.repeat(500)]
    const rig = await inSync(options, odd)
    expect(rig.b.all().map(({ key }) => key).sort()).toEqual([...odd].sort())
    for (const key of odd) rig.a.put({ key, fields: { FN: `${key}!` } })
    await rig.sync()
    expect(rig.b.byKey('ключ')[0]?.fields).toEqual({ FN: 'ключ!' })
    expect(await isQuiet(rig)).toBe(true)
  })

  it('T16 two spellings of one text are one identity', async () => {
    const rig = engineRig()
    rig.a.put({ key: 'é', fields: { FN: 'same' } })
    rig.b.put({ key: 'é', fields: { FN: 'same' } })
    expect((await rig.sync()).flows[0]).toMatchObject({ links: 1, counts: { adopted: 1 } })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it.each([['two-way', {}], ['streamed', streamed]])('T33 moved to another place: the old place is gone, the item is not (%s)', async (_how, options) => {
    const rig = await inSync(options)
    rig.a.rename(rig.a.byKey('x')[0]?.remoteId ?? '', 'elsewhere')
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    rig.a.removeKey('x')
    await rig.sync()
    expect(Object.keys(shown(rig).b)).toEqual(['y', 'z'])
  })
})

describe('writes that fail', () => {
  it('T21 every write to one side fails: the other direction goes on, and one run after the repair all is well', async () => {
    const rig = engineRig()
    rig.a.put({ key: 'from-a', fields: { FN: 'a' } })
    rig.b.put({ key: 'from-b', fields: { FN: 'b' } })
    rig.b.mischief.failWrites = 100
    expect((await rig.play()).judgement.is).toBe('retry')
    expect(shown(rig).a).toHaveProperty('from-b')
    rig.b.mischief.failWrites = 0
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 1, b: 1 })
    expect(shown(rig).a).toEqual(shown(rig).b)
  })

  it('T24 newest-wins without trusted times falls back to the source, whichever side is looked at first', async () => {
    const rig = await inSync({ connection: { strategy: 'newest-wins' } })
    rig.a.put({ key: 'x', fields: { FN: 'A' }, modifiedAt: '2026-01-01T00:00:00Z' })
    rig.b.put({ key: 'x', fields: { FN: 'BB' } })
    rig.a.put({ key: 'y', fields: { FN: 'A' }, modifiedAt: '2026-01-01T00:00:00Z' })
    rig.b.put({ key: 'y', fields: { FN: 'BB' }, modifiedAt: '2026-01-01T00:05:00Z' })
    await rig.sync()
    expect(shown(rig).b).toMatchObject({ x: { FN: 'A' }, y: { FN: 'BB' } })
    expect(shown(rig).a).toMatchObject({ x: { FN: 'A' }, y: { FN: 'BB' } })
  })
})
