/** SYNC.md §E.4, and T17 and T18 of §E.1, between sides of every kind, memory too, both ways: what holds a run, and a side that may not be written. */
import { describe, expect, it } from 'vitest'
import { allPairs, type Pair } from '../support/real-sides.ts'
import { both, nothing, on, written, xyz } from './on-sides.ts'
import { many } from './in-sync.ts'

describe.each(allPairs)('%s', (pair) => {
  const { inSync } = on(pair)

  it.each([[0.5, 'held'], [0.6, 'succeeded']] as const)('T68 more than half is deleted, with a limit of %s: %s', async (maxDeleteShare, outcome) => {
    const rig = await inSync(many(9), {}, { guards: { maxDeletes: 3, maxDeleteShare } })
    for (const key of many(5)) await rig.a.remove(key)
    expect((await rig.sync()).outcome).toBe(outcome)
    expect(Object.keys(await rig.b.shown())).toHaveLength(outcome === 'held' ? 9 : 4)
  })

  it('T69 everything changed at once is held, also when one in thirty did not', async () => {
    const rig = await inSync(many(30))
    for (const key of many(29)) await rig.a.put(key, { name: `${key} re-encoded` })
    expect(await written(rig, async () => expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'all-changed' }] }))).toEqual(nothing)
    expect(await rig.b.shown()).toMatchObject({ k0: { name: 'k0' } })
  })

  it('T72 without the canary on both sides nothing is written; with it, all goes on', async () => {
    const rig = await inSync()
    rig.options.flow = { guards: { canary: 'x' } }
    await rig.a.put('y', { name: 'edited' })
    await rig.b.remove('x')
    expect(await written(rig, async () => expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'canary' }] }))).toEqual(nothing)
    await rig.b.put('x', xyz.x)
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(await both(rig)).toEqual([{ ...xyz, y: { name: 'edited' } }, { ...xyz, y: { name: 'edited' } }])
  })

  it('T18 is refused when both sides are the same collection', async () => {
    const rig = await inSync()
    rig.options.sides = { b: rig.ground.side('a') }
    expect(await written(rig, async () => expect(await rig.sync()).toMatchObject({ flows: [{ error: { is: 'needs-person', message: expect.stringContaining('same collection') as unknown } }] }))).toEqual(nothing)
  })
})

/** Files by their option, a table as the view that a source may be. */
const sealable: ReadonlyArray<readonly [Pair, 'a' | 'b']> = [['folders of cards', 'b'], ['folders of events', 'b'], ['files of JSON lines', 'b'], ['files of JSON lines', 'a'], ['files of CSV', 'b'], ['tables', 'a'], ['tables that tell what changed', 'a']]

describe.each(sealable)('T17 %s of which %s may not be written', (pair, name) => {
  const { opened } = on(pair)
  const sealed = async (readOnly: 'error' | 'ignore' | 'revert') => {
    const rig = await opened()
    if (rig.ground.sql !== undefined) await rig.ground.sql(`create view seen as select * from ${name}`)
    rig.options.flow = { readOnly }
    rig.options.sides = { [name]: rig.ground.sql === undefined ? { readOnly: true } : { table: 'seen', key: 'id' } }
    for (const [key, entry] of Object.entries(xyz)) for (const side of [rig.a, rig.b]) await side.put(key, entry)
    expect((await rig.sync()).flows[0]).toMatchObject({ links: 3, counts: { adopted: 3 } })
    return { rig, closed: rig[name], open: rig[name === 'a' ? 'b' : 'a'] }
  }

  it('error: the plan fails before its first write, also at the other side', async () => {
    const { rig, open, closed } = await sealed('error')
    await open.put('x', { name: 'mine' })
    await closed.put('y', { name: 'edited there' })
    expect(await written(rig, async () => expect(await rig.sync()).toMatchObject({ outcome: 'failed', flows: [{ error: { is: 'needs-person', mend: expect.stringContaining('readOnly') as unknown } }] }))).toEqual(nothing)
    expect(rig.archived).toEqual([])
  })

  it('ignore: changes of the open side stay there, repeats are quiet, and what the sealed one shows comes over', async () => {
    const { rig, open, closed } = await sealed('ignore')
    await open.put('x', { name: 'mine' })
    await open.put('new', { name: 'new' })
    await open.remove('z')
    expect([await rig.writesNothing(), await rig.writesNothing()]).toEqual([true, true])
    await closed.put('x', { name: 'theirs!' })
    await closed.put('y', { name: 'edited there' })
    await rig.sync()
    expect(await open.shown()).toEqual({ x: { name: 'mine' }, y: { name: 'edited there' }, new: { name: 'new' } })
  })

  it('revert: the open side is put back to what the sealed one shows, and the losers are kept', async () => {
    const { rig, open, closed } = await sealed('revert')
    await open.put('x', { name: 'mine' })
    await open.put('new', { name: 'new' })
    await open.remove('z')
    const before = await closed.marks()
    await rig.sync()
    expect(await open.shown()).toEqual(xyz)
    expect(await closed.marks()).toEqual(before)
    expect(rig.archived.map(({ key }) => key).sort()).toEqual(['new', 'x'])
    expect(await rig.writesNothing()).toBe(true)
  })
})

it.each(['folders of cards', 'folders of events', 'files of JSON lines', 'files of CSV'] as const)('T18 %s: refused when neither side may be written, and one would have to be', async (pair) => {
  const rig = await on(pair).inSync()
  rig.options.sides = { a: { readOnly: true }, b: { readOnly: true } }
  expect((await rig.sync()).outcome).toBe('succeeded')
  await rig.a.put('x', { name: 'edited' })
  expect(await rig.sync()).toMatchObject({ flows: [{ error: { is: 'needs-person', mend: expect.stringContaining('neither side') as unknown } }] })
  expect(await rig.b.shown()).toEqual(xyz)
})
