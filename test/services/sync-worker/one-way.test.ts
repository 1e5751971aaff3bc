/** One-way flows: streamed into a transactional destination, and spooled into one without a ledger. */
import { describe, expect, it } from 'vitest'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'
import { memorySide } from '#libs/connectors/memory/memory.ts'

const transactional = { transactional: true }
const streamed = () => engineRig({ direction: 'one-way', b: transactional })
const spooled = () => engineRig({ direction: 'one-way' })
const never = new AbortController().signal

const b = (rig: EngineRig) => Object.fromEntries(rig.b.all().map(({ key, fields }) => [key, fields]))

describe.each([
  ['streamed', streamed],
  ['spooled', spooled],
])('a one-way flow, %s', (_how, make) => {
  const inSync = async (count = 20) => {
    const rig = make()
    for (let i = 0; i < count; i++) rig.a.put({ key: `k${i}`, fields: { v: `${i}` } })
    expect((await rig.sync()).outcome).toBe('succeeded')
    rig.newWrites()
    return { rig }
  }

  it('copies everything once and is then quiet', async () => {
    const { rig } = await inSync()
    expect(b(rig)['k7']).toEqual({ v: '7' })
    await rig.sync()
    expect((await rig.sync()).quiet).toBe(true)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('adopts what the destination holds already', async () => {
    const rig = make()
    for (let i = 0; i < 5; i++) {
      rig.a.put({ key: `k${i}`, fields: { v: `${i}` } })
      rig.b.put({ key: `k${i}`, fields: { v: `${i}` } })
    }
    const result = await rig.sync()
    expect(result.flows[0]).toMatchObject({ links: 5, counts: { adopted: 5, created: 0 } })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('carries updates and deletions, and never writes to the source', async () => {
    const { rig } = await inSync()
    rig.a.put({ key: 'k1', fields: { v: 'one' } })
    rig.a.removeKey('k2')
    const result = await rig.sync()
    expect(result.flows[0]?.counts).toMatchObject({ updated: 1, deleted: 1 })
    expect(b(rig)['k1']).toEqual({ v: 'one' })
    expect(b(rig)).not.toHaveProperty('k2')
    expect(rig.newWrites().a).toBe(0)
    expect(rig.archived.map(({ key, because }) => [key, because]).sort()).toEqual([['k1', 'overwritten'], ['k2', 'deleted']])
  })

  it('keeps what the destination has of its own', async () => {
    const { rig } = await inSync()
    rig.b.put({ key: 'own', fields: { v: 'mine' } })
    await rig.sync()
    expect(b(rig)['own']).toEqual({ v: 'mine' })
  })

  it('overwrites an edited copy when the source changes, and keeps the loser', async () => {
    const { rig } = await inSync()
    rig.b.put({ key: 'k3', fields: { v: 'edited there' } })
    rig.a.put({ key: 'k3', fields: { v: 'new' } })
    const result = await rig.sync()
    expect(result.flows[0]?.counts).toMatchObject({ conflicts: 1, updated: 1 })
    expect(b(rig)['k3']).toEqual({ v: 'new' })
    expect(rig.archived).toMatchObject([{ key: 'k3', side: 'destination', fields: { v: 'edited there' } }])
  })

  it('T29 deletes nothing when the listing breaks off, and converges afterwards', async () => {
    const { rig } = await inSync()
    rig.a.expireCursors()
    rig.a.removeKey('k2')
    let page = 0
    rig.options.a = { pageSize: 5 }
    rig.a.mischief.beforePage = () => {
      if (++page === 3) rig.a.mischief.failReads = 1
    }
    expect((await rig.play()).judgement.is).toBe('retry')
    expect(Object.keys(b(rig))).toHaveLength(20)
    rig.a.mischief.beforePage = () => undefined
    await rig.sync()
    expect(Object.keys(b(rig))).toHaveLength(19)
  })

  it('holds a mass deletion until a person approves this very plan', async () => {
    const { rig } = await inSync(40)
    for (let i = 0; i < 30; i++) rig.a.removeKey(`k${i}`)
    const held = await rig.sync()
    expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'mass-delete' }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    const plan = held.flows[0]?.plan
    await rig.sync(plan === undefined ? {} : { approved: plan })
    expect(Object.keys(b(rig))).toHaveLength(10)
  })

  it('parks a row that is never accepted while the others go through', async () => {
    const rig = make()
    for (let i = 0; i < 30; i++) rig.a.put({ key: `k${i}`, fields: { v: `${i}` } })
    rig.b.mischief.refuseKeys.add('k4')
    const result = await rig.sync()
    expect(result).toMatchObject({ outcome: 'partial', flows: [{ counts: { created: 29, parked: 1 }, parkedNow: 1 }] })
    expect((await rig.sync()).outcome).toBe('succeeded')
  })
})

describe('a streamed flow', () => {
  it('goes on from the last committed page after a crash', async () => {
    const rig = streamed()
    rig.options.a = { pageSize: 100 }
    for (let i = 0; i < 1000; i++) rig.a.put({ key: `k${i}`, fields: { v: `${i}` } })
    let pages = 0
    rig.a.mischief.beforePage = () => {
      if (++pages === 5) throw new Error('killed')
    }
    await rig.play()
    const written = rig.newWrites().b
    expect(written).toBeGreaterThanOrEqual(300)
    rig.a.mischief.beforePage = () => undefined
    const result = await rig.sync()
    expect(result.flows[0]?.counts.read).toBe(1000 - written)
    expect(rig.b.all()).toHaveLength(1000)
  })

  it('stops when another run claimed the destination', async () => {
    const rig = streamed()
    rig.a.put({ key: 'k', fields: { v: '1' } })
    const later = memorySide(rig.b, transactional).ledger
    rig.a.mischief.beforePage = () => void later?.claim(1e9, never)()
    const end = await rig.play()
    expect(end.judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(rig.newWrites().b).toBe(0)
  })

  it('dry run: tells the moves and claims nothing', async () => {
    const rig = streamed()
    rig.a.put({ key: 'k', fields: { v: '1' } })
    const dry = await rig.sync({ dryRun: true })
    expect(dry.flows[0]).toMatchObject({ moves: [{ key: 'k', do: 'create', on: 'destination' }], movesTotal: 1 })
    expect(await memorySide(rig.b, transactional).ledger?.claim(1, never)()).toMatchObject({ right: null })
  })
})
