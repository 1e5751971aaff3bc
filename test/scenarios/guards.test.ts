/** SYNC.md §E.4 and §C: what holds a run before its first write, and what lets it go. */
import { describe, expect, it } from 'vitest'
import type { EngineOptions, EngineRig } from '../support/engine-rig.ts'
import { beside, inSync, isQuiet, listed, many, shown, streamed } from './in-sync.ts'

const planOf = async (rig: EngineRig): Promise<string> => (await rig.sync()).flows[0]?.plan ?? ''
const remove = (rig: EngineRig, keys: ReadonlyArray<string>): void => keys.forEach((key) => rig.a.removeKey(key))
const ways: ReadonlyArray<readonly [string, EngineOptions]> = [['two-way', {}], ['two-way, remembered beside the rows', beside], ['streamed', streamed], ['streamed, listed', { ...streamed, a: { delta: false } }]]

describe.each(ways)('a mass deletion, %s', (_how, options) => {
  const afterDeleting = async (count: number, of: number) => {
    const rig = await inSync(options, many(of))
    remove(rig, many(count))
    return rig
  }

  it('T67 is held; an approval of this plan lets it go, once', async () => {
    const rig = await afterDeleting(30, 40)
    const plan = await planOf(rig)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect((await rig.sync()).outcome, 'not approved: held again').toBe('held')
    expect((await rig.sync({ approved: plan })).outcome).toBe('succeeded')
    expect(rig.b.all()).toHaveLength(10)
    // The same deletes again are another plan's business, though it looks the same.
    for (const key of many(30)) rig.a.put({ key, fields: { FN: key } })
    rig.options.flow = { ...rig.options.flow, guards: { maxDeletes: 100 } }
    await rig.sync({ approved: await planOf(rig) })
    rig.options.flow = {}
    remove(rig, many(30))
    const again = await rig.sync({ approved: plan })
    expect(again.outcome).toBe('held')
  })

  it('T70 an approval is refused when the plan is another one by then, with as many deletes', async () => {
    const rig = await afterDeleting(30, 40)
    const plan = await planOf(rig)
    rig.a.put({ key: 'k0', fields: { FN: 'k0' } })
    rig.a.removeKey('k35')
    const refused = await rig.sync({ approved: plan })
    expect(refused).toMatchObject({ outcome: 'held', flows: [{ error: { message: expect.stringContaining(`plan ${plan} was approved, but the plan is`) as unknown } }] })
    expect(rig.newWrites().b).toBeLessThanOrEqual(1)
    expect(rig.b.byKey('k35')).toHaveLength(1)
    await rig.sync({ approved: refused.flows[0]?.plan ?? '' })
    expect(Object.keys(shown(rig).b).sort()).toEqual(['k0', ...many(40).slice(30).filter((key) => key !== 'k35')].sort())
  })

  it('an approval that nobody asked for is refused, and so is one of yesterday', async () => {
    const rig = await afterDeleting(30, 40)
    const dry = await rig.sync({ dryRun: true })
    expect((await rig.sync({ approved: dry.flows[0]?.plan ?? '' })).outcome).toBe('held')
    const plan = await planOf(rig)
    expect(plan).toBe(dry.flows[0]?.plan)
    const late = await rig.sync({ approved: plan, askedAt: rig.ports.clock.now() - 25 * 3_600_000 })
    expect(late).toMatchObject({ outcome: 'held', flows: [{ error: { message: expect.stringContaining('24 hours') as unknown } }] })
  })

  it('what is put back while a plan is held is not deleted, and nothing waits any more', async () => {
    const rig = await afterDeleting(30, 40)
    await rig.sync()
    for (const key of many(30)) rig.a.put({ key, fields: { FN: key } })
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.b.all()).toHaveLength(40)
    expect(await isQuiet(rig)).toBe(true)
  })
})

describe('guards', () => {
  it('T67 two hundred and an empty list: held, however few there were', async () => {
    for (const options of [listed, { ...streamed, a: { delta: false } }]) {
      const rig = await inSync(options)
      remove(rig, ['x', 'y', 'z'])
      expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'emptied-side' }] })
      expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    }
  })

  it('a flood of new items is held', async () => {
    const rig = await inSync({}, many(20))
    for (const key of many(20)) rig.a.put({ key: `copy of ${key}`, fields: { FN: key } })
    expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'create-flood' }] })
  })

  it.each(ways)('T71 a dry run tells exactly what the run then does, and writes nothing anywhere (%s)', async (_how, options) => {
    const rig = await inSync(options, many(12))
    rig.a.put({ key: 'k1', fields: { FN: 'edited' } })
    rig.a.put({ key: 'new', fields: { FN: 'new' } })
    remove(rig, ['k2', 'k3'])
    const stored = () => JSON.stringify([rig.state.log.filter(({ key }) => !key.startsWith('lease')), [...rig.b.ledgers.values()].map(({ checkpoint, links }) => [checkpoint, [...links]])])
    const before = stored()
    const dry = await rig.sync({ dryRun: true })
    expect(stored()).toBe(before)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(dry.flows[0]?.moves?.map(({ key, do: what }) => `${what} ${key}`).sort()).toEqual(['create new', 'delete k2', 'delete k3', 'update k1'])
    expect(dry.flows[0]?.movesTotal).toBe(4)
    expect((await rig.sync()).flows[0]?.counts).toMatchObject({ created: 1, updated: 1, deleted: 2 })
  })

  it.each(ways)('T72 without the canary on both sides nothing is written; with it, all goes on (%s)', async (_how, options) => {
    const rig = await inSync(options)
    rig.options.flow = { ...rig.options.flow, guards: { canary: 'x' } }
    rig.a.put({ key: 'y', fields: { FN: 'edited' } })
    rig.b.removeKey('x')
    expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'canary' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    rig.b.put({ key: 'x', fields: { FN: 'x' } })
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(shown(rig).b['y']).toEqual({ FN: 'edited' })
  })

  it.each([['two-way', listed], ['streamed', streamed]])('another account behind the same configuration halts the flow until somebody approves of it (%s)', async (_how, options) => {
    let account = 'memory:a'
    const rig = await inSync({ ...options, wrap: (name, side) => (name === 'source' ? { ...side, identity: account } : side) })
    account = 'memory:somebody else'
    remove(rig, ['x'])
    rig.a.put({ key: 'y', fields: { FN: 'edited' } })
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'changed-account' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect((await rig.sync({ approved: held.flows[0]?.plan ?? '' })).outcome).toBe('succeeded')
    expect(Object.keys(shown(rig).b)).toHaveLength(3)
    expect(shown(rig).b['y']).toEqual({ FN: 'edited' })
    expect(await isQuiet(rig)).toBe(true)
  })
})

describe('another system that answers at the same address', () => {
  const known = async (options: EngineOptions) => {
    const told: { principal: string | undefined } = { principal: 'cluster 1' }
    const rig = await inSync({ ...options, wrap: (name, side) => (name === 'source' && told.principal !== undefined ? { ...side, principal: told.principal } : side) })
    return { rig, told }
  }

  it.each([['two-way', listed], ['streamed', streamed]])('halts the flow and asks for a new connection; an approval makes the next sync a first one (%s)', async (_how, options) => {
    const { rig, told } = await known(options)
    told.principal = 'cluster 2'
    remove(rig, ['x'])
    rig.a.put({ key: 'y', fields: { FN: 'edited' } })
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'changed-account', error: { message: expect.stringMatching(/the source is cluster 2 now, it was cluster 1; a new connection is required/) as unknown } }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect((await rig.sync({ approved: held.flows[0]?.plan ?? '' })).outcome).toBe('succeeded')
    expect(Object.keys(shown(rig).b)).toHaveLength(3)
    expect(await isQuiet(rig)).toBe(true)
  })

  it.each([['two-way', listed], ['streamed', streamed]])('is not suspected where it does not tell, or did not before (%s)', async (_how, options) => {
    const { rig, told } = await known(options)
    for (const principal of [undefined, 'cluster 1', undefined]) {
      told.principal = principal
      expect((await rig.sync()).outcome).toBe('succeeded')
    }
    expect(await isQuiet(rig)).toBe(true)
  })
})

describe('damping', () => {
  /** A destination that answers every write with a content of its own. */
  const restless = async () => {
    const rig = await inSync({}, ['x', 'y'])
    let n = 0
    const answer = (): void => void rig.b.put({ key: 'x', fields: { FN: `b${n++}` } })
    return { rig, answer }
  }

  it('an item that both sides keep rewriting is set aside as OSCILLATION, and the others sync', async () => {
    const { rig, answer } = await restless()
    for (let round = 0; round < 10; round++) {
      rig.a.put({ key: 'x', fields: { FN: `a${round}` } })
      await rig.sync()
      answer()
      await rig.sync()
    }
    expect(rig.parked.at(-1)).toMatchObject({ key: 'x', why: expect.stringContaining('OSCILLATION') as unknown })
    rig.a.put({ key: 'y', fields: { FN: 'edited' } })
    await rig.sync()
    expect(shown(rig).b['y']).toEqual({ FN: 'edited' })
    expect(rig.b.writes.filter(({ write, applied }) => applied && write.key === 'x')).toHaveLength(4)
  })

  it('two contents that answer each other are noticed at the fourth write', async () => {
    const rig = await inSync({}, ['x'])
    for (let round = 0; round < 4; round++) {
      rig.a.put({ key: 'x', fields: { FN: 'one' } })
      await rig.sync()
      rig.b.put({ key: 'x', fields: { FN: 'two' } })
      await rig.sync()
    }
    expect(rig.parked[0]).toMatchObject({ why: expect.stringContaining('OSCILLATION') as unknown })
  })

  it('one side that goes to and fro is somebody at work', async () => {
    const rig = await inSync({}, ['x'])
    for (let round = 0; round < 12; round++) {
      rig.a.put({ key: 'x', fields: { FN: round % 2 === 0 ? 'on' : 'off' } })
      await rig.sync()
    }
    expect(rig.parked).toEqual([])
    expect(shown(rig).b['x']).toEqual({ FN: 'off' })
  })
})
