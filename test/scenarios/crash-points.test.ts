/** SYNC.md §E.3, T49: killed at every call a run makes, before and after it; then run again. */
import { describe, expect, it } from 'vitest'
import { worldOf, type World } from '../properties/world.ts'
import { isTwoWay, type Setup } from '../properties/setup.ts'

const base: Setup = { way: 'two-way', strategy: 'source-wins', tie: 'source', deleteWins: false, drift: 'ignore', a: {}, b: {} }

const put = (world: World, side: 'source' | 'destination', key: string, fields: Record<string, string>): void =>
  world.user(side, key, (before) => ({ ...(before?.fields ?? {}), ...fields }))

/** One item to create, one to update, one to delete, one to merge. */
const change = (world: World): void => {
  put(world, 'source', 'created', { FN: 'created' })
  put(world, 'source', 'updated', { FN: 'edited' })
  world.user('source', 'deleted', () => undefined)
  put(world, 'source', 'merged', { TEL: '2' })
  if (isTwoWay(world.setup)) put(world, 'destination', 'merged', { EMAIL: 'b' })
}

const prepared = async (setup: Setup): Promise<World> => {
  const world = worldOf(setup)
  for (const key of ['updated', 'deleted', 'merged', 'other', 'another']) put(world, 'source', key, { FN: key, TEL: '1', EMAIL: 'a' })
  await world.sync()
  world.rig.newWrites()
  return world
}

const contents = (world: World, side: 'source' | 'destination') => Object.fromEntries(world.store(side).all().map(({ key, fields }) => [key, fields]))

const ways: ReadonlyArray<readonly [string, Setup]> = [
  ['two-way, in deltas', { ...base, strategy: 'merge' }],
  ['two-way, in listings', { ...base, strategy: 'merge', a: { delta: false, seenOnly: true }, b: { delta: false } }],
  ['two-way, write by write', { ...base, strategy: 'merge', a: { batchSize: 1 }, b: { batchSize: 1 } }],
  ['two-way, remembered beside the rows', { ...base, way: 'beside', strategy: 'merge' }],
  ['one-way, spooled', { ...base, way: 'spooled' }],
  ['one-way, streamed', { ...base, way: 'streamed', a: { pageSize: 2 } }],
]

describe.each(ways)('T49 a run that is killed at any point (%s)', (_how, setup) => {
  it.each(['before', 'after'] as const)('%s any of its calls: run again, the sides are equal, and nothing was written twice', async (when) => {
    const whole = await prepared(setup)
    change(whole)
    await whole.sync()
    const { a, b } = whole.rig.newWrites()
    const expected = contents(whole, 'destination')
    expect(a + b).toBeGreaterThanOrEqual(4)

    let points = 0
    for (let at = 0; ; at++) {
      const world = await prepared(setup)
      change(world)
      world.killSoon(at, when)
      if ((await world.sync()) !== 'killed') break
      points++
      await world.sync()
      await world.sync()
      expect(contents(world, 'destination'), `killed ${when} call ${at}`).toEqual(expected)
      if (isTwoWay(setup)) expect(contents(world, 'source')).toEqual(expected)
      const wrote = world.rig.newWrites()
      expect(wrote.a + wrote.b, `writes, killed ${when} call ${at}`).toBeLessThanOrEqual(a + b)
      await world.sync()
      expect(world.rig.newWrites()).toEqual({ a: 0, b: 0 })
    }
    expect(points).toBeGreaterThan(8)
  })
})
