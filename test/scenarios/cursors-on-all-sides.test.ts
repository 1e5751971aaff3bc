/** SYNC.md §E.2, and T48, between sides of every kind, memory too, both ways: cursors, listings, and what may be missing from them. */
import { describe, expect, it } from 'vitest'
import { beforeFirstWrite, inPages } from '../support/between.ts'
import { allPairs, type Pair } from '../support/real-sides.ts'
import { many } from './in-sync.ts'
import { agree, nothing, on, written, xyz } from './on-sides.ts'

const named = (keys: ReadonlyArray<string>) => Object.fromEntries(keys.map((key) => [key, { name: key }]))

describe.each(allPairs)('%s', (pair) => {
  const { inSync } = on(pair)

  it('T29 a listing that breaks off deletes nothing; the next run begins it again and converges', async () => {
    const rig = await inSync(many(8))
    await rig.a.remove('k1')
    rig.options.between = inPages(2, (page) => (page === 3 ? { is: 'unavailable', message: 'the line broke' } : undefined))
    expect(await written(rig, async () => expect((await rig.play({ mode: 'full' })).judgement.is).toBe('retry'))).toEqual(nothing)
    rig.options.between = undefined
    const again = () => rig.sync({ mode: 'full' })
    expect(await written(rig, async () => expect((await again()).flows[0]).toMatchObject({ phase: 'resync', counts: { deleted: 1 } }))).toEqual({ a: 0, b: 1 })
    await agree(rig, named(many(8).filter((key) => key !== 'k1')))
  })

  it.each([
    ['T30 a crash behind the second page', () => { throw new Error('killed') }],
    ['T40 an attempt that fails half way', () => ({ is: 'unavailable', message: 'the line broke' } as const)],
  ])('%s leaves the stored cursors as they were, and the next run skips nothing', async (_name, end) => {
    const rig = await inSync()
    await rig.sync()
    const before = await rig.cursors()
    if (pair !== 'memory, listed') expect(before[0]).toEqual(expect.any(String))
    for (const key of many(4)) await rig.a.put(key, { name: key })
    rig.options.between = inPages(1, (page) => (page === 3 ? end() : undefined))
    expect(await written(rig, () => rig.play())).toEqual(nothing)
    expect(await rig.cursors()).toEqual(before)
    rig.options.between = undefined
    await rig.sync()
    await agree(rig, { ...xyz, ...named(many(4)) })
  })

  it('T31 created and deleted between two syncs: ignored', async () => {
    const rig = await inSync()
    await rig.a.put('short', { name: 's' })
    await rig.a.remove('short')
    expect(await written(rig, async () => expect((await rig.sync()).flows[0]).toMatchObject({ outcome: 'succeeded', links: 3 }))).toEqual(nothing)
    await agree(rig, xyz)
  })

  it('T34 a mapping is edited while 40 % of the items leave the scope: nothing is deleted; taken back, they are linked again', async () => {
    const rig = await inSync(many(10))
    const out = many(10).slice(6)
    rig.options.flow = { fields: rig.ground.otherFields }
    for (const key of out) await rig.a.remove(key)
    expect((await rig.sync()).flows[0]).toMatchObject({ phase: 'resync', counts: { deleted: 0 } })
    await rig.b.put('k9', { name: 'edited out of scope' })
    await rig.a.put('k1', { name: 'edited in scope' })
    await rig.sync()
    await rig.sync()
    const items = { ...named(many(10)), k1: { name: 'edited in scope' }, k9: { name: 'edited out of scope' } }
    expect([Object.keys(await rig.a.shown()), await rig.b.shown()]).toEqual([many(6), items])
    rig.options.flow = {}
    for (const key of out) await rig.a.put(key, { name: key })
    expect((await rig.sync()).flows[0]).toMatchObject({ links: 10 })
    await agree(rig, items)
  })

  it('T35 other request parameters than the stored cursor was made with: everything is listed, nothing loops, nothing is lost', async () => {
    const rig = await inSync()
    await rig.sync()
    rig.options.flow = { fields: rig.ground.otherFields }
    expect(await written(rig, async () => expect((await rig.sync()).flows[0]).toMatchObject({ phase: 'resync', links: 3 }))).toEqual(nothing)
    await rig.a.put('w', { name: 'w' })
    expect((await rig.sync()).flows[0]).toMatchObject({ phase: 'delta', counts: { created: 1 } })
  })

  it('T39 an empty delta moves on as a delta', async () => {
    const rig = await inSync()
    await rig.sync()
    expect(await rig.sync()).toMatchObject({ quiet: true, flows: [{ phase: 'delta', counts: { read: 0 } }] })
    await rig.a.put('w', { name: 'w' })
    expect((await rig.sync()).flows[0]).toMatchObject({ phase: 'delta', counts: { read: 1, created: 1 } })
  })

  it('T43 what somebody makes while a run goes on is left to the next run, whole', async () => {
    const rig = await inSync(many(40))
    const late = many(50).slice(40)
    await rig.a.put('k1', { name: 'edited' })
    rig.options.between = beforeFirstWrite(async () => {
      for (const key of late) await rig.a.put(key, { name: key })
    })
    await rig.sync()
    expect(Object.keys(await rig.b.shown())).toHaveLength(40)
    expect(Object.keys(await rig.a.shown())).toHaveLength(50)
    await rig.sync()
    await agree(rig, { ...named(many(50)), k1: { name: 'edited' } })
  })
})

/** A folder is compared name by name every time: its cursor is never lost. */
const losing: ReadonlyArray<Pair> = ['memory', 'files of JSON lines', 'files of CSV', 'tables', 'tables that tell what changed', 'collections of a provider on HTTP']

it.each(losing)('T28 %s: a cursor that means nothing any more: listed again with the same links, deletions are carried, the rest is not written', async (pair) => {
  const rig = await on(pair).inSync(many(8))
  await rig.sync()
  // A file of records loses it by being written anew, which a deletion is.
  await rig.ground.loseCursors?.('expired')
  await rig.a.remove('k1')
  const relisted = { phase: 'resync', links: 7, counts: { deleted: 1, updated: 0, created: 0 } }
  expect(await written(rig, async () => expect((await rig.sync()).flows[0]).toMatchObject(relisted))).toEqual({ a: 0, b: 1 })
  await agree(rig, named(many(8).filter((key) => key !== 'k1')))
})

it('T36 a provider that shows late what we wrote: it is not taken for deleted, and is later', async () => {
  const rig = await on('collections of a provider on HTTP').opened()
  const there = rig.ground.provider?.collection('b')
  if (there === undefined) throw new Error('no provider')
  rig.options.flow = { horizonMs: 600_000 }
  rig.options.sides = { b: { delta: false } }
  there.settings = { ...there.settings, lateMs: 3_600_000 }
  for (const key of many(3)) await rig.a.put(key, { name: key })
  await rig.sync()
  await rig.sync()
  expect(Object.keys(await rig.a.shown())).toHaveLength(3)
  there.settings = { ...there.settings, lateMs: 0 }
  await rig.sync()
  await rig.b.remove('k1')
  await rig.sync()
  expect(Object.keys(await rig.a.shown()), 'within the horizon nobody knows').toHaveLength(3)
  rig.later(700_000)
  await rig.sync()
  expect(Object.keys(await rig.a.shown())).toEqual(['k0', 'k2'])
})

it.each(['truncated', 'no-token', '503', 'cut'] as const)('T29 a provider whose third page comes %s: nothing is deleted; the next run begins again and converges', async (mischief) => {
  const rig = await on('collections of a provider on HTTP').inSync(many(8))
  await rig.sync()
  await rig.ground.loseCursors?.('expired')
  await rig.a.remove('k1')
  rig.options.between = inPages(2, (page) => {
    if (page === 3) rig.ground.provider?.faults.set([{ do: mischief, collection: 'a', verbs: ['LIST'] }])
    return undefined
  })
  expect(await written(rig, async () => expect((await rig.play()).judgement.is).toBe('retry'))).toEqual(nothing)
  expect(rig.ground.provider?.remotes.at(-1)).toMatchObject({ mischief })
  rig.ground.provider?.faults.set([])
  rig.options.between = undefined
  expect(await written(rig, async () => expect((await rig.sync()).flows[0]).toMatchObject({ phase: 'resync' }))).toEqual({ a: 0, b: 1 })
  await agree(rig, named(many(8).filter((key) => key !== 'k1')))
})
