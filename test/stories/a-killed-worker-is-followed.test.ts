/** Services as separate processes, two workers: each item is done once, and a killed worker's connection goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { leaseTtlMs, startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until, type ServiceProcess } from '../support/processes.ts'

let house: ProcessHouse
const workers = new Map<string, ServiceProcess>()

beforeAll(async () => {
  house = await startProcessHouse()
  const [, , one, two] = await Promise.all([
    house.start('scheduler'), house.start('conflict-resolver'),
    house.start('sync-worker', { WORKER_NAME: 'one' }), house.start('sync-worker', { WORKER_NAME: 'two' }),
  ])
  workers.set('one', one).set('two', two)
})
afterAll(() => house.stop())

it('shares work between the workers, each item once', async () => {
  const ids = ['s1', 's2', 's3', 's4', 's5', 's6']
  const folders = await Promise.all(ids.map(async (id) => [id, await house.cards(id, 'a', 5), await house.cards(id, 'b', 0)] as const))
  await Promise.all(folders.map((one) => house.applyFolders(...one)))
  await until('six first syncs', () => house.results.filter(({ outcome }) => outcome === 'succeeded').length === ids.length)
  expect(house.results.map(({ conn }) => conn).sort()).toEqual(ids)
  expect(house.results.every(({ flows }) => flows[0]?.counts.created === 5)).toBe(true)
})

it('goes on within the lease time and five seconds when the worker is killed in the middle', async () => {
  const startedAt = Date.now()
  const { id, cards, owner, written } = await house.copying('big')
  const toFirstCardsMs = Date.now() - startedAt
  await workers.get(owner)?.kill('SIGKILL')
  const killedAt = Date.now()
  const before = (await written()).length
  expect(before).toBeLessThan(cards)
  await until('the successor writes', async () => (await written()).length > before)
  // The second run reads both folders before it writes, at the pace of this machine.
  expect(Date.now() - killedAt).toBeLessThan(leaseTtlMs + 5_000 + toFirstCardsMs)
  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  expect(await written()).toHaveLength(cards)
  if (house.stumbles() === 0) expect([end.cause, end.attempt]).toEqual(['first', 2])
  expect(end.worker).not.toBe(owner)
})
