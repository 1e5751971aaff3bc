/** SYNC.md §E.4 on memory sides: what stops a run before its first write. */
import { describe, expect, it } from 'vitest'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const inSync = async (keys: ReadonlyArray<string> = ['x', 'y', 'z']): Promise<EngineRig> => {
  const rig = engineRig()
  for (const key of keys) rig.a.put({ key, fields: { FN: key } })
  await rig.sync()
  rig.newWrites()
  return rig
}

describe('guards', () => {
  it('T67 an emptied side is held before the first write', async () => {
    const rig = engineRig({ a: { delta: false }, b: { delta: false } })
    for (let i = 0; i < 12; i++) rig.a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    await rig.sync()
    rig.newWrites()
    for (let i = 0; i < 12; i++) rig.a.removeKey(`k${i}`)
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'emptied-side' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    const plan = held.flows[0]?.plan
    expect(plan).toBeDefined()
    await rig.sync(plan === undefined ? {} : { approved: plan })
    expect(rig.b.all()).toHaveLength(0)
  })

  it('a first sync that was cut short is finished by the next run, however little of it was done', async () => {
    const rig = engineRig()
    for (let i = 0; i < 40; i++) rig.a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    let writes = 0
    rig.b.mischief.beforeWrite = () => {
      if (++writes > 5) rig.b.mischief.failWrites = 1
    }
    await rig.sync()
    expect(rig.b.all()).toHaveLength(5)
    delete rig.b.mischief.beforeWrite
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first' }] })
    expect(rig.b.all()).toHaveLength(40)
  })

  it('a plan of a full run that is held can be approved: what was set aside is tried again, as planned', async () => {
    const rig = engineRig()
    for (let i = 0; i < 40; i++) rig.a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    rig.b.mischief.refuseKeys.add('k0')
    await rig.sync()
    expect(rig.b.all()).toHaveLength(39)
    rig.b.mischief.refuseKeys.clear()
    for (let i = 20; i < 40; i++) rig.a.removeKey(`k${i}`)
    const held = await rig.sync({ mode: 'full' })
    const plan = held.flows[0]?.plan ?? ''
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'mass-delete', movesTotal: 21 }] })
    // Slots come and go meanwhile, and see the same plan
    expect(await rig.sync({ cause: 'tick' })).toMatchObject({ outcome: 'held', flows: [{ plan }] })
    expect(await rig.sync({ approved: plan })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { created: 1, deleted: 20 } }] })
    expect(rig.b.all()).toHaveLength(20)
    // It is settled: later runs are plain ones again
    rig.newWrites()
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'delta' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T71 a dry run tells the moves and writes nothing anywhere', async () => {
    const rig = await inSync()
    rig.a.put({ key: 'x', fields: { FN: 'xx' } })
    const state = rig.state.log.filter(({ key }) => !key.startsWith('lease')).length
    const dry = await rig.sync({ dryRun: true })
    expect(dry.flows[0]?.moves).toEqual([{ key: 'x', do: 'update', on: 'destination' }])
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(rig.state.log.filter(({ key }) => !key.startsWith('lease'))).toHaveLength(state)
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 1 })
  })
})
