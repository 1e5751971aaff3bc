/** T54: a worker that is told to end takes nothing new, finishes what it has and gives the lease back; told twice, it ends at once. */
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProcessHouse, type Copying, type ProcessHouse } from '../support/process-house.ts'
import { until, type ServiceProcess } from '../support/processes.ts'

/** Patience enough to finish the run in hand, however slow the machine is. */
const shutdownMs = '200000'

let house: ProcessHouse
beforeAll(async () => {
  house = await startProcessHouse()
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver')])
})
afterAll(() => house.stop())

const ended = async ({ child }: ServiceProcess): Promise<unknown> => (child.exitCode !== null || child.signalCode !== null ? child.exitCode : (await once(child, 'exit'))[0])

/** A worker in the middle of its first copy, and what it copies. */
const copying = async (name: string): Promise<Copying & { readonly worker: ServiceProcess }> => {
  const worker = await house.start('sync-worker', { WORKER_NAME: `of-${name}`, SYNCLINE_SHUTDOWN_MS: shutdownMs })
  return { worker, ...(await house.copying(name)) }
}

it('T54 told once: finishes the run in hand, takes no other, and a successor goes on within two seconds', async () => {
  const { worker, id, cards, written } = await copying('kind')
  worker.child.kill('SIGTERM')
  expect((await written()).length).toBeLessThan(cards)
  await until('it drains', () => worker.output().includes('service.stopping'))
  await house.applyFolders('waiting', await house.cards('waiting', 'a', 5), await house.cards('waiting', 'b', 0))

  expect(await ended(worker)).toBe(0)
  const done = await house.result('the run in hand', ({ conn }) => conn === id)
  expect(done).toMatchObject({ outcome: 'succeeded', worker: 'of-kind', flows: [{ links: cards }] })
  if (house.stumbles() === 0) expect(done).toMatchObject({ attempt: 1, flows: [{ counts: { created: cards } }] })
  expect(await house.owner(id)).toBeUndefined()
  expect(house.results.some(({ conn }) => conn === 'waiting')).toBe(false)

  await house.request(id)
  await until('it is queued', async () => (await house.queued()) === 2)
  const startedAt = Date.now()
  const successor = await house.start('sync-worker', { WORKER_NAME: 'next' })
  const readyAt = Date.now()
  const next = await house.result('the successor', ({ conn, worker: by }) => conn === id && by === 'next')
  // A lease still held would have put it off: a deferral, by another run.
  expect(next).toMatchObject({ outcome: 'succeeded', cause: 'manual', attempt: 1, quiet: true })
  // On a machine that takes long to start a process, everything takes long.
  expect(next.startedAt - readyAt).toBeLessThan(2_000 + readyAt - startedAt)
  expect(await house.result('what waited', ({ conn }) => conn === 'waiting')).toMatchObject({ outcome: 'succeeded', worker: 'next', attempt: 1 })
  await successor.kill('SIGTERM')
})

it('T54 told twice: ends at once, and what it leaves is finished by another', async () => {
  const { worker, id, cards, written } = await copying('hard')
  worker.child.kill('SIGTERM')
  await until('it drains', () => worker.output().includes('service.stopping'))
  worker.child.kill('SIGTERM')
  // 143: not drained, and not 1 for having waited in vain.
  expect(await ended(worker)).toBe(143)
  expect((await written()).length).toBeLessThan(cards)
  await house.start('sync-worker')
  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  expect(end.flows[0]).toMatchObject({ links: cards })
  expect(await written()).toHaveLength(cards)
})
