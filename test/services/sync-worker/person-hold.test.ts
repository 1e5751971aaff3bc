/** A person's hold: runs plan and show, and nothing is written until it is taken off or their plan is approved. */
import { describe, expect, it } from 'vitest'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const hold = { hold: { at: 1_763_719_200_000, by: 'ada', reason: 'looks odd' } }
const card = (key: string, FN: string) => ({ key, fields: { FN } })

const rigs = [
  ['two-way', () => engineRig()],
  ['two-way into a database', () => engineRig({ b: { transactional: true } })],
  ['one-way into files', () => engineRig({ direction: 'one-way' })],
  ['one-way into a database', () => engineRig({ direction: 'one-way', b: { transactional: true } })],
] as const

const held = async (rig: EngineRig): Promise<EngineRig> => {
  for (let n = 0; n < 30; n++) rig.a.put(card(`k${n}`, `${n}`))
  await rig.sync()
  rig.newWrites()
  rig.options.connection = hold
  return rig
}

describe.each(rigs)('a held connection whose flow is %s', (_how, make) => {
  it('shows its plan and writes nothing; what waits is carried over once it is released', async () => {
    const rig = await held(make())
    rig.a.put(card('k1', 'one'))
    rig.a.put(card('new', 'new'))
    for (const item of [{ dryRun: true }, {}, {}]) {
      const result = await rig.sync(item)
      expect(result).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'person', movesTotal: 2, plan: expect.any(String) as unknown, error: { message: 'held by ada since 2025-11-21T10:00:00.000Z (looks odd): 2 writes wait' } }] })
    }
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    rig.options.connection = {}
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { updated: 1, created: 1 } }] })
  })

  it('is quiet when there is nothing to write', async () => {
    const rig = await held(make())
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('lets an approved plan run, once, and no other', async () => {
    const rig = await held(make())
    rig.a.put(card('k1', 'one'))
    const plan = (await rig.sync()).flows[0]?.plan ?? ''
    rig.a.put(card('k2', 'two'))
    expect(await rig.sync({ approved: plan })).toMatchObject({ outcome: 'held' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    const fresh = (await rig.sync()).flows[0]?.plan ?? ''
    expect(fresh).not.toBe(plan)
    expect(await rig.sync({ approved: fresh, by: 'ada' })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { updated: 2, created: 0 } }], asked: { what: 'approve', of: fresh, by: 'ada' } })
    expect(rig.b.byKey('k2')[0]?.fields).toEqual({ FN: 'two' })
    rig.a.put(card('k3', 'three'))
    expect(await rig.sync({ approved: fresh })).toMatchObject({ outcome: 'held' })
  })

  it('keeps the guard’s word where a guard holds it too: one approval is enough', async () => {
    const rig = await held(make())
    for (let n = 0; n < 20; n++) rig.a.removeKey(`k${n}`)
    const result = await rig.sync()
    expect(result).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'mass-delete' }] })
    expect(await rig.sync({ approved: result.flows[0]?.plan ?? '' })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { deleted: 20 } }] })
  })

  it('can still be undone and reset, which an operator asks for by name', async () => {
    const rig = make()
    rig.a.put(card('x', 'x1'))
    await rig.sync()
    rig.a.put(card('x', 'x2'))
    const { run } = await rig.sync()
    rig.options.connection = hold
    expect(await rig.sync({ undo: run })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { updated: 1 } }] })
    expect(rig.b.byKey('x')[0]?.fields).toEqual({ FN: 'x1' })
    expect(await rig.sync({ reset: 'cursor' })).toMatchObject({ outcome: 'succeeded' })
  })
})

it('does not let a first sync write either', async () => {
  const rig = engineRig({ connection: hold })
  for (let n = 0; n < 3; n++) rig.a.put(card(`k${n}`, `${n}`))
  expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'person' }] })
  expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
})
