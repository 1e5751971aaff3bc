/** The main job on the real thing: an applied connection syncs, follows edits, is quiet, and is told about. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHouse, type House } from '../support/house.ts'
import { onceInACentury } from '../support/schedules.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house.stop())

const connection = (id: string, more: Record<string, unknown> = {}, flow: Record<string, unknown> = {}) => ({
  id,
  schedule: { kind: 'manual' },
  flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: `${id}-a` }, destination: { provider: 'memory', store: `${id}-b` }, ...flow }],
  ...more,
})

describe('a connection that is applied', () => {
  it('is synced at once, and its edits follow with every tick', async () => {
    const a = house.store('one-a')
    const b = house.store('one-b')
    for (let i = 0; i < 50; i++) a.put({ key: `k${i}`, fields: { FN: `${i}` } })
    await house.apply(connection('one', { schedule: onceInACentury }))
    const first = await house.result(({ conn, outcome }) => conn === 'one' && outcome === 'succeeded')
    expect(first).toMatchObject({ cause: 'first', attempt: 1, quiet: false, flows: [{ counts: { created: 50 }, links: 50 }] })
    expect(b.all()).toHaveLength(50)
    await house.apply(connection('one', { schedule: { kind: 'interval', everyMs: 1_000 } }))
    b.put({ key: 'k7', fields: { FN: 'seven' } })
    await house.result(({ conn, flows }) => conn === 'one' && flows[0]?.counts.updated === 1)
    expect(a.byKey('k7')[0]?.fields).toEqual({ FN: 'seven' })
    const quiet = await house.result(({ conn, quiet: isQuiet, startedAt }) => conn === 'one' && isQuiet && startedAt > first.finishedAt)
    expect(quiet.traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('retries what fails for now with growing delay, and succeeds when it is mended', async () => {
    const a = house.store('two-a')
    house.store('two-b')
    a.put({ key: 'k', fields: { FN: 'x' } })
    a.mischief.failReads = 2
    await house.apply(connection('two'))
    await house.request('two')
    const done = await house.result(({ conn, outcome }) => conn === 'two' && outcome === 'succeeded')
    expect(done.attempt).toBeGreaterThan(1)
  })

  it('ends as failed at once when only a person can help, and says what to do', async () => {
    const a = house.store('three-a')
    house.store('three-b', { readOnly: true })
    a.put({ key: 'k', fields: { FN: 'x' } })
    await house.apply(connection('three'))
    await house.request('three')
    const failed = await house.result(({ conn }) => conn === 'three')
    expect(failed).toMatchObject({ outcome: 'failed', error: { is: 'needs-person', mend: expect.stringContaining('write') as unknown } })
  })
})
