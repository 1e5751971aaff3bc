/**
 * T64: the line between a worker and NATS stays open and carries nothing any more, in the middle of a run. The worker ends
 * the run by its own clock, another finishes it, and the first one works again when the line speaks.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectTo } from '../support/nats-server.ts'
import { silentLine, type SilentLine } from '../support/line.ts'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until } from '../support/processes.ts'
import { E } from '#libs/fp.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'

let house: ProcessHouse
let line: SilentLine
beforeAll(async () => {
  house = await startProcessHouse()
  line = await silentLine(house.server.port)
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver')])
})
afterAll(async () => {
  await house.stop()
  await line.stop()
})

it('T64 a request on it fails when its time is over, and what is asked after a reconnect is answered', async () => {
  const own = await silentLine(house.server.port)
  const bus = await connectTo([`nats://127.0.0.1:${own.port}`])
  try {
    expect(await streamInfo(bus)('SYNC_WORK')()).toMatchObject({ _tag: 'Right' })
    own.silence()
    // The client's own timeout; how late a busy machine tells is its own affair.
    expect(await streamInfo(bus)('SYNC_WORK')()).toMatchObject({ left: { is: 'timeout' } })
    // Two pings without an answer: the line is taken for dead, although it is open.
    await until('it is noticed', () => !bus.isConnected())
    own.speak()
    await until('it is connected again', async () => E.isRight(await streamInfo(bus)('SYNC_WORK')()))
    expect(own.connections()).toBeGreaterThan(1)
  } finally {
    await bus.close()
    await own.stop()
  }
})

it('T64 a run on it is ended by its worker, finished by another, and nothing is doubled', async () => {
  const first = await house.start('sync-worker', { WORKER_NAME: 'one', NATS_URL: `nats://127.0.0.1:${line.port}` })
  const { id, cards, written } = await house.copying('cards')
  line.silence()
  expect((await written()).length).toBeLessThan(cards)
  await until('it says so', () => first.output().includes('run.fenced'))
  const copied = (await written()).length

  const second = await house.start('sync-worker', { WORKER_NAME: 'two' })
  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  expect(end).toMatchObject({ worker: 'two', flows: [{ links: cards, counts: { conflicts: 0, deleted: 0 } }] })
  expect(copied).toBeLessThanOrEqual(cards)
  expect(await written()).toHaveLength(cards)

  await until('the ack', async () => (await house.queued()) === 0)
  await second.kill('SIGTERM')
  line.speak()
  await house.request(id)
  expect(await house.result('a run of the first worker', ({ conn, cause }) => conn === id && cause === 'manual')).toMatchObject({ worker: 'one', outcome: 'succeeded', quiet: true })
  expect(house.results.filter(({ conn, quiet }) => conn === id && !quiet)).toHaveLength(1)
})
