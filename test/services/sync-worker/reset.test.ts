/** A reset forgets what a connection remembers, under its lease; the next run finds its way without deleting anything. */
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const rigs = [
  ['two-way', () => engineRig()],
  ['two-way into a database', () => engineRig({ b: { transactional: true } })],
  ['one-way into files', () => engineRig({ direction: 'one-way' })],
  ['one-way into a database', () => engineRig({ direction: 'one-way', b: { transactional: true } })],
] as const

const inSync = async (rig: EngineRig): Promise<EngineRig> => {
  for (let n = 0; n < 30; n++) rig.a.put({ key: `k${n}`, fields: { FN: `${n}` } })
  expect((await rig.sync()).outcome).toBe('succeeded')
  rig.newWrites()
  return rig
}

describe.each(rigs)('a flow that is %s', (_how, make) => {
  it('tells what a reset would forget, and forgets nothing in a dry run', async () => {
    const rig = await inSync(make())
    const shown = await rig.sync({ reset: 'links', dryRun: true })
    expect(shown).toMatchObject({ outcome: 'succeeded', dryRun: true, flows: [{ forgets: { cursor: true, links: 30, parked: 0, next: 'first' } }], asked: { what: 'reset', of: 'links' } })
    expect(rig.audit).toEqual([])
    expect(await rig.sync()).toMatchObject({ quiet: true, flows: [{ phase: 'delta', links: 30 }] })
  })

  it('begins anew without its links: equal items are only linked, and nothing is deleted', async () => {
    const rig = await inSync(make())
    expect(await rig.sync({ reset: 'links', by: 'ada', reason: 'moved' })).toMatchObject({ outcome: 'succeeded', quiet: false, flows: [{ forgets: { links: 30, next: 'first' }, links: 0, cursorAfter: null }] })
    expect(rig.audit).toMatchObject([{ act: 'reset', conn: 'c1', by: 'ada', reason: 'moved', count: 30 }])
    for (let n = 0; n < 20; n++) rig.a.removeKey(`k${n}`)
    const next = await rig.sync()
    expect(next).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', counts: { deleted: 0 } }] })
    expect(rig.b.all()).toHaveLength(30)
    rig.newWrites()
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('compares everything again without its cursor, with the links as the base: a deletion is still one', async () => {
    const rig = await inSync(make())
    expect(await rig.sync({ reset: 'cursor' })).toMatchObject({ flows: [{ forgets: { cursor: true, links: 0, next: 'resync' }, links: 30 }] })
    rig.a.removeKey('k3')
    const next = await rig.sync()
    expect(next).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'resync', counts: { deleted: 1 } }] })
    expect(rig.b.byKey('k3')).toEqual([])
    expect(await rig.sync()).toMatchObject({ flows: [{ phase: 'delta' }] })
  })

  it('is done although the connection is paused, and reads and writes neither side', async () => {
    const rig = await inSync(make())
    rig.options.connection = { paused: true }
    rig.a.mischief.failReads = 100
    expect(await rig.sync({ reset: 'cursor' })).toMatchObject({ outcome: 'succeeded' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('may be repeated: there is nothing left to forget', async () => {
    const rig = await inSync(make())
    await rig.sync({ reset: 'links' })
    expect(await rig.sync({ reset: 'links' })).toMatchObject({ outcome: 'succeeded', flows: [{ forgets: { cursor: false, links: 0, next: 'first' } }] })
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', links: 30 }] })
  })
})

describe('a reset', () => {
  it('of one flow leaves the others as they are, and names the flows when there is none of that id', async () => {
    const rig = await inSync(engineRig())
    const refused = await rig.sync({ reset: 'links', flow: 'other' as never })
    expect(refused).toMatchObject({ outcome: 'failed', error: { is: 'needs-person', message: 'c1 has no flow other', mend: 'its flows are main' } })
    expect(await rig.sync()).toMatchObject({ quiet: true, flows: [{ links: 30 }] })
  })

  it('cannot be taken back by a run that lost its lease meanwhile', async () => {
    const rig = await inSync(engineRig())
    rig.a.put({ key: 'k1', fields: { FN: 'late' } })
    const zombie = await rig.play({}, { keep: true, ports: { ...rig.ports, sayResult: rig.ports.sayResult } })
    await zombie.hold?.release([])
    await rig.sync({ reset: 'links' })
    const before = await rig.ports.state.readCheckpoint('c1' as never, 'main' as never)()
    const late = await zombie.hold?.saveCheckpoint('main' as never, { fence: 1, run: 'zombie', phase: 'delta', gen: 0, cursorA: 'old', cursorB: 'old', cfgHash: '', pages: 1, links: 30, parked: 0 })
    expect(late !== undefined && E.isLeft(late)).toBe(true)
    expect(await rig.ports.state.readCheckpoint('c1' as never, 'main' as never)()).toEqual(before)
  })

  it('is not put off as a plain run would be: it comes again with its wish', async () => {
    const rig = await inSync(engineRig({ direction: 'one-way' }))
    const busy = { ...rig.ports, openSide: () => async () => E.left({ is: 'later' as const, message: 'too many requests', notBefore: 1 }) }
    const end = await rig.play({ reset: 'cursor' }, { ports: busy })
    expect(end.judgement).toMatchObject({ is: 'retry' })
  })
})
