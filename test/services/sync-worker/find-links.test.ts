/** Where a two-way flow into a destination with a ledger of its own keeps its links, through everything that may change it (ADR 0016). */
import { describe, expect, it } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const inStore = (rig: EngineRig): Checkpoint | undefined => rig.state.peek(stateKeys.checkpoint('c1' as ConnectionId, 'main' as FlowId)) as Checkpoint | undefined
const beside = (rig: EngineRig): number => [...rig.b.ledgers.values()][0]?.links.size ?? 0

const without = ({ ledger: _, ...side }: Side): Side => side

/** `sees`: what comes between the engine and the destination. */
const rigOf = (): { readonly rig: EngineRig; readonly sees: { destination: (side: Side) => Side } } => {
  const sees = { destination: (side: Side): Side => side }
  const rig = engineRig({ b: { transactional: true }, wrap: (name, side) => (name === 'source' ? side : sees.destination(side)) })
  for (const key of ['x', 'y', 'z']) rig.a.put({ key, fields: { FN: key } })
  return { rig, sees }
}

const begunInStore = async () => {
  const { rig, sees } = rigOf()
  sees.destination = without
  await rig.sync()
  expect([inStore(rig)?.links, beside(rig)]).toEqual([3, 0])
  sees.destination = (side) => side
  rig.newWrites()
  return rig
}

describe('a flow that begins', () => {
  it('begins beside the rows, and notes in KV only who stands behind the two sides', async () => {
    const { rig } = rigOf()
    await rig.sync()
    expect([inStore(rig), beside(rig)]).toMatchObject([{ phase: 'first', links: 0, cursorA: null, sideA: 'memory:a', sideB: 'memory:b' }, 3])
  })

  it('begins in KV while the destination may not be written, and stays there', async () => {
    const { rig } = rigOf()
    rig.b.mischief.readOnly = true
    rig.options.flow = { readOnly: 'ignore' }
    rig.b.put({ key: 'only b', fields: { FN: 'b' } })
    await rig.sync()
    rig.b.mischief.readOnly = false
    await rig.sync({ mode: 'full' })
    expect(beside(rig)).toBe(0)
    expect(inStore(rig)?.links).toBe(4)
  })
})

describe('a flow that began in KV', () => {
  it('goes on there, and claims nothing beside the rows', async () => {
    const rig = await begunInStore()
    rig.a.put({ key: 'x', fields: { FN: 'edited' } })
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'delta', links: 3, counts: { updated: 1 } }] })
    expect(rig.b.ledgers.size).toBe(0)
  })

  it('moves over when its links are reset', async () => {
    const rig = await begunInStore()
    expect(await rig.sync({ reset: 'links' })).toMatchObject({ flows: [{ forgets: { links: 3, next: 'first' } }] })
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', links: 3, counts: { adopted: 3 } }] })
    expect([inStore(rig)?.links, beside(rig)]).toEqual([0, 3])
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect((await rig.sync()).quiet).toBe(true)
  })

  it('stays there when only its cursor is reset', async () => {
    const rig = await begunInStore()
    await rig.sync({ reset: 'cursor' })
    rig.a.removeKey('x')
    expect(await rig.sync()).toMatchObject({ flows: [{ phase: 'resync', counts: { deleted: 1 }, links: 2 }] })
    expect([inStore(rig)?.links, beside(rig)]).toEqual([2, 0])
  })
})

describe('a flow that was one-way for a while', () => {
  it('finds what the one-way runs linked beside the rows, and deletes nothing in its first run', async () => {
    const { rig } = rigOf()
    rig.options.flow = { direction: 'one-way' }
    await rig.sync()
    expect(beside(rig)).toBe(3)
    rig.options.flow = {}
    rig.newWrites()
    rig.b.removeKey('x')
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'resync', counts: { deleted: 0 } }] })
    rig.b.put({ key: 'y', fields: { FN: 'by b' } })
    await rig.sync()
    expect(rig.a.byKey('y')).toMatchObject([{ fields: { FN: 'by b' } }])
  })

  it('believes the younger of two checkpoints', async () => {
    const rig = await begunInStore()
    rig.options.flow = { direction: 'one-way' }
    await rig.sync()
    rig.options.flow = {}
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'resync' }] })
    // What stood in KV is no base any more, whatever becomes of the other.
    expect([inStore(rig), beside(rig)]).toMatchObject([{ phase: 'first', links: 0, pages: 0 }, 3])
  })
})

describe('a destination that was exchanged for another', () => {
  const exchanged = async () => {
    const { rig, sees } = rigOf()
    await rig.sync()
    rig.newWrites()
    sees.destination = (side) => ({ ...side, identity: 'memory:another' })
    return rig
  }

  it('is held for a person although it brings no ledger that could tell; approved, it is met as for the first time', async () => {
    const rig = await exchanged()
    rig.b.ledgers.clear()
    for (const { remoteId } of rig.b.all()) rig.b.remove(remoteId)
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'changed-account' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(await rig.sync({ approved: held.flows[0]?.plan ?? '' })).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', counts: { created: 3, deleted: 0 } }] })
    expect(inStore(rig)).toMatchObject({ sideB: 'memory:another' })
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', quiet: true })
  })

  it('is held too when the configuration had changed before, but not with it', async () => {
    const { rig, sees } = rigOf()
    await rig.sync()
    rig.options.flow = { fields: { FN: 'FN' } }
    await rig.sync()
    rig.b.ledgers.clear()
    sees.destination = (side) => ({ ...side, identity: 'memory:another' })
    expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'changed-account' }] })
    rig.options.flow = {}
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first' }] })
  })

  it('is held too when it brings the ledger along', async () => {
    const rig = await exchanged()
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'changed-account' }] })
    rig.b.removeKey('x')
    expect(await rig.sync({ approved: held.flows[0]?.plan ?? '' })).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', counts: { deleted: 0, created: 1 } }] })
    expect(beside(rig)).toBe(3)
  })
})

it('a ledger whose fence is not below ours halts the flow', async () => {
  const { rig } = rigOf()
  await rig.sync()
  const [entry] = rig.b.ledgers
  if (entry === undefined) throw new Error('expected a ledger')
  rig.b.ledgers.set(entry[0], { ...entry[1], fence: 1_000_000 })
  expect((await rig.play()).judgement).toMatchObject({ is: 'settled', error: { is: 'fence-regress' } })
})
