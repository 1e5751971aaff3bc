/** nats-server is killed (SIGKILL) and started again in the middle of a run: the run goes on or is tried again; nothing is doubled. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until } from '../support/processes.ts'

let house: ProcessHouse
beforeAll(async () => {
  house = await startProcessHouse()
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver'), house.start('sync-worker'), house.start('sync-worker')])
})
afterAll(() => house.stop())

it('copies every card once, whatever the broker missed', async () => {
  const { id, cards, folder, written } = await house.copying('cards')
  await house.server.kill()
  expect((await written()).length).toBeLessThan(cards)
  await house.server.restart()

  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  expect(end.flows[0]).toMatchObject({ links: cards, counts: { conflicts: 0, deleted: 0, parked: 0 } })
  expect(await written()).toHaveLength(cards)
  await until('the ack', async () => (await house.queued()) === 0)
  const marks = async (): Promise<ReadonlyArray<string>> => Promise.all((await written()).map(async (name) => { const { ino, mtimeMs } = await stat(join(folder, name)); return `${name} ${ino} ${mtimeMs}` }))
  const before = await marks()
  for (let n = 0; n < 2; n++) {
    await house.request(id)
    await until('a further run', () => house.results.filter(({ cause }) => cause === 'manual').length > n)
    expect(house.results.filter(({ cause }) => cause === 'manual')[n]).toMatchObject({ outcome: 'succeeded', quiet: true })
    await until('the ack', async () => (await house.queued()) === 0)
  }
  expect(await marks()).toEqual(before)
})
