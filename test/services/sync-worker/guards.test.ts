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
