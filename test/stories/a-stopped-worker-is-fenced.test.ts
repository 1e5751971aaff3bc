/**
 * T51: a worker is stopped (SIGSTOP) for longer than its lease in the middle of a run, another finishes the run, the first
 * wakes up (SIGCONT). It writes nothing more, commits nothing more, and says "fenced".
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
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

it('T51 on folders, both ways', async () => {
  const { id, cards, folder, owner, written } = await house.copying('cards')
  const look = async () => new Map(await Promise.all((await written()).map(async (name) => { const { mtimeMs, ino } = await stat(join(folder, name)); return [name, `${ino}/${mtimeMs}`] as const })))
  const first = workers.get(owner)
  first?.child.kill('SIGSTOP')
  expect((await written()).length).toBeLessThan(cards)

  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  if (house.stumbles() === 0) expect([end.cause, end.attempt]).toEqual(['first', 2])
  expect(end.flows[0]?.links).toBe(cards)
  expect(workers.get(end.worker ?? '')).not.toBe(first)
  await until('the ack', async () => (await house.queued()) === 0)
  const before = { files: await look(), state: await house.lastSeq('KV_sync_state') }
  expect(before.files.size).toBe(cards)

  first?.child.kill('SIGCONT')
  await until('it says so', () => first?.output().includes('run.fenced') === true)
  // Markers of the freed lease come and go; nothing else of this connection moves.
  const after = await look()
  expect([...after].filter(([name, mark]) => before.files.get(name) !== mark)).toEqual([])
  expect(after.size).toBe(cards)
  expect(house.results.filter(({ conn }) => conn === id)).toHaveLength(1)
  expect(await house.lastSeq('KV_sync_state') - before.state).toBeLessThanOrEqual(1)
  expect(await house.owner(id)).toBeUndefined()
})
