/** T54: a worker that is told to end takes nothing new, finishes what it has and gives the lease back; told twice, it ends at once. */
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { publish } from '#libs/nats/publish.ts'
import { E } from '#libs/fp.ts'
import { leaseTtlMs, startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until, type ServiceProcess } from '../support/processes.ts'

const cards = 600

let house: ProcessHouse
beforeAll(async () => {
  house = await startProcessHouse()
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver')])
}, 60_000)
afterAll(() => house.stop())

const written = async (folder: string): Promise<number> => (await readdir(folder)).filter((name) => name.endsWith('.vcf')).length
const request = async (id: string): Promise<void> => {
  expect(E.isRight(await publish(house.bus)(`sync.request.${id}`, new Uint8Array())())).toBe(true)
}
const ended = async ({ child }: ServiceProcess): Promise<unknown> => (child.exitCode !== null || child.signalCode !== null ? child.exitCode : (await once(child, 'exit'))[0])

/** A worker in the middle of its first copy, and what it copies to. */
const copying = async (id: string): Promise<{ readonly worker: ServiceProcess; readonly folder: string }> => {
  const [source, folder] = [await house.cards(id, 'a', cards), await house.cards(id, 'b', 0)]
  const worker = await house.start('sync-worker', { WORKER_NAME: `of-${id}` })
  await house.apply(id, { flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: source }, destination: { provider: 'file', path: folder } }] })
  await until('the first cards', async () => (await written(folder)) > 20)
  return { worker, folder }
}

it('told once: finishes the run in hand, takes no other, and a successor goes on within two seconds', async () => {
  const { worker, folder } = await copying('kind')
  const source = await house.cards('waiting', 'a', 5)
  worker.child.kill('SIGTERM')
  expect(await written(folder)).toBeLessThan(cards)
  await house.apply('waiting', { flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: source }, destination: { provider: 'file', path: await house.cards('waiting', 'b', 0) } }] })

  expect(await ended(worker)).toBe(0)
  const done = await house.result('the run in hand', ({ conn }) => conn === 'kind')
  expect(done).toMatchObject({ outcome: 'succeeded', attempt: 1, worker: 'of-kind', flows: [{ counts: { created: cards } }] })
  expect(await house.owner('kind')).toBeUndefined()
  expect(house.results.some(({ conn }) => conn === 'waiting')).toBe(false)

  await request('kind')
  await until('it is queued', async () => (await house.queued()) === 2)
  const successor = await house.start('sync-worker', { WORKER_NAME: 'next' })
  const readyAt = Date.now()
  const next = await house.result('the successor', ({ conn, worker: by }) => conn === 'kind' && by === 'next')
  expect(next).toMatchObject({ outcome: 'succeeded', attempt: 1, quiet: true })
  expect(next.startedAt - readyAt).toBeLessThan(2_000)
  expect(await house.result('what waited', ({ conn }) => conn === 'waiting')).toMatchObject({ outcome: 'succeeded', worker: 'next', attempt: 1 })
  await successor.kill('SIGTERM')
}, 60_000)

it('told twice: ends at once, and what it leaves is finished by another', async () => {
  const { worker, folder } = await copying('hard')
  worker.child.kill('SIGTERM')
  await until('it drains', () => worker.output().includes('service.stopping'))
  const at = Date.now()
  worker.child.kill('SIGTERM')
  expect(await ended(worker)).toBe(143)
  expect(Date.now() - at).toBeLessThan(2_000)
  await house.start('sync-worker')
  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === 'hard' && outcome === 'succeeded', leaseTtlMs + 15_000)
  expect(end.flows[0]).toMatchObject({ links: cards })
  expect(await written(folder)).toBe(cards)
}, 60_000)
