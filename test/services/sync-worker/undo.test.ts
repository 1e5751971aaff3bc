/** What a run overwrote, deleted or created is taken back, unless somebody touched it since; the next run is silent. */
import { describe, expect, it } from 'vitest'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const shown = (rig: EngineRig) => ({ a: contents(rig.a), b: contents(rig.b) })
const contents = (side: EngineRig['a']) => Object.fromEntries(side.all().map(({ key, fields }) => [key, fields['FN']]))
const card = (key: string, FN: string) => ({ key, fields: { FN } })

const rigs = [
  ['two-way', () => engineRig()],
  ['two-way into a database', () => engineRig({ b: { transactional: true } })],
  ['one-way into files', () => engineRig({ direction: 'one-way' })],
  ['one-way into a database', () => engineRig({ direction: 'one-way', b: { transactional: true } })],
] as const

/** Four items in step; then x edited, y deleted, n created at the source, and the run that carried this across. */
const afterARun = async (rig: EngineRig): Promise<{ rig: EngineRig; run: string }> => {
  for (const key of ['x', 'y', 'z', 'w']) rig.a.put(card(key, `${key}1`))
  await rig.sync()
  rig.a.put(card('x', 'x2'))
  rig.a.removeKey('y')
  rig.a.put(card('n', 'n1'))
  const { run } = await rig.sync()
  expect(contents(rig.b)).toEqual({ x: 'x2', z: 'z1', w: 'w1', n: 'n1' })
  rig.newWrites()
  return { rig, run }
}

const silence = async (rig: EngineRig): Promise<void> => {
  rig.newWrites()
  for (const item of [{}, {}, { mode: 'full' as const }, {}]) {
    expect((await rig.sync(item)).outcome).toBe('succeeded')
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  }
}

describe.each(rigs)('a run of a flow that is %s', (_how, make) => {
  it('is taken back: what it overwrote, deleted and created is as before, and the next runs are silent', async () => {
    const { rig, run } = await afterARun(make())
    const undone = await rig.sync({ undo: run, by: 'ada', reason: 'wrong export' })
    expect(undone).toMatchObject({ outcome: 'succeeded', quiet: false, flows: [{ counts: { updated: 1, created: 1, deleted: 1 } }], asked: { what: 'undo', of: run, by: 'ada', reason: 'wrong export' } })
    expect(shown(rig)).toEqual({ a: { x: 'x2', z: 'z1', w: 'w1', n: 'n1' }, b: { x: 'x1', y: 'y1', z: 'z1', w: 'w1' } })
    expect(rig.audit).toMatchObject([{ act: 'undo', count: 3, by: 'ada' }])
    await silence(rig)
  })

  it('is only shown in a dry run', async () => {
    const { rig, run } = await afterARun(make())
    const dry = await rig.sync({ undo: run, dryRun: true })
    expect(dry.flows[0]).toMatchObject({ movesTotal: 3, counts: { updated: 0, created: 0, deleted: 0 } })
    expect(dry.flows[0]?.moves?.map(({ key, do: what, on }) => [key, what, on]).sort()).toEqual([['n', 'take out', 'destination'], ['x', 'put back', 'destination'], ['y', 'bring back', 'destination']])
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(rig.audit).toEqual([])
  })

  it('leaves alone what was edited since, on either side, and says so', async () => {
    const { rig, run } = await afterARun(make())
    rig.b.put(card('x', 'by hand'))
    rig.a.put(card('n', 'n2'))
    await rig.sync()
    const before = shown(rig)
    const undone = await rig.sync({ undo: run })
    expect(undone).toMatchObject({ outcome: 'partial', flows: [{ counts: { updated: 0, created: 1, deleted: 0 } }] })
    expect(undone.flows[0]?.warnings).toEqual(expect.arrayContaining(['left alone: "x" at the destination: it was edited since', 'left alone: "n" at the destination: it was edited since']))
    expect(shown(rig).b).toEqual({ ...before.b, y: 'y1' })
  })

  it('is taken back once: a repetition finds nothing left to do', async () => {
    const { rig, run } = await afterARun(make())
    await rig.sync({ undo: run })
    rig.newWrites()
    expect(await rig.sync({ undo: run })).toMatchObject({ outcome: 'succeeded', flows: [{ movesTotal: 0 }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    await silence(rig)
  })

  it('carries a later edit of an undone item across again', async () => {
    const { rig, run } = await afterARun(make())
    await rig.sync({ undo: run })
    rig.a.put(card('x', 'x3'))
    rig.a.put(card('n', 'n3'))
    await rig.sync()
    expect(contents(rig.b)).toMatchObject({ x: 'x3', n: 'n3' })
    await silence(rig)
  })

  it('can be done again by undoing the undo', async () => {
    const { rig, run } = await afterARun(make())
    const undone = await rig.sync({ undo: run })
    await rig.sync({ undo: undone.run })
    expect(contents(rig.b)).toEqual({ x: 'x2', z: 'z1', w: 'w1', n: 'n1' })
  })

  it('of which nothing is archived is refused, and so is one whose links were forgotten since', async () => {
    const { rig, run } = await afterARun(make())
    expect(await rig.sync({ undo: '01JD7Q8Z6VXK3M5T9W2B4C6D8E' })).toMatchObject({ outcome: 'failed', error: { is: 'needs-person', message: expect.stringContaining('nothing is archived of run 01JD7Q8Z6VXK3M5T9W2B4C6D8E') as unknown } })
    await rig.sync({ reset: 'links' })
    expect(await rig.sync({ undo: run })).toMatchObject({ outcome: 'failed', error: { is: 'needs-person', message: expect.stringContaining('nothing is linked in flow main of c1 any more') as unknown } })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })
})

describe('a two-way run', () => {
  it('is taken back on both sides after a merge', async () => {
    const rig = engineRig({ connection: { strategy: 'merge' } })
    rig.a.put({ key: 'm', fields: { FN: 'm', TEL: '1', ORG: 'o' } })
    await rig.sync()
    rig.a.put({ key: 'm', fields: { FN: 'm', TEL: '2', ORG: 'o' } })
    rig.b.put({ key: 'm', fields: { FN: 'm', TEL: '1', ORG: 'p' } })
    const { run } = await rig.sync()
    expect(rig.a.byKey('m')[0]?.fields).toEqual({ FN: 'm', TEL: '2', ORG: 'p' })
    expect(await rig.sync({ undo: run })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { updated: 2 } }] })
    expect([rig.a, rig.b].map((side) => side.byKey('m')[0]?.fields)).toEqual([{ FN: 'm', TEL: '2', ORG: 'o' }, { FN: 'm', TEL: '1', ORG: 'p' }])
    await silence(rig)
  })

  it('that was broken off between the writes and their links is taken back by its repetition', async () => {
    const { rig, run } = await afterARun(engineRig())
    const broken = { ...rig.ports, state: { ...rig.ports.state, writeBatch: () => async () => ({ _tag: 'Left' as const, left: { is: 'not-stored' as const, message: 'away' } }) } }
    const first = await rig.play({ undo: run }, { ports: broken })
    expect(first.result.outcome).toBe('failed')
    expect(contents(rig.b)).toEqual({ x: 'x1', y: 'y1', z: 'z1', w: 'w1' })
    expect((await rig.sync({ undo: run })).outcome).toBe('succeeded')
    await silence(rig)
    expect(contents(rig.a)).toEqual({ x: 'x2', z: 'z1', w: 'w1', n: 'n1' })
  })
})
