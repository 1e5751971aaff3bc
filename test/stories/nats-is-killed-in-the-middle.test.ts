/** nats-server is killed (SIGKILL) and started again in the middle of a run: the run goes on or is tried again; nothing is doubled. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { publish } from '#libs/nats/publish.ts'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until } from '../support/processes.ts'

const cards = 800

let house: ProcessHouse
beforeAll(async () => {
  house = await startProcessHouse()
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver'), house.start('sync-worker'), house.start('sync-worker')])
}, 60_000)
afterAll(() => house.stop())

it('copies every card once, whatever the broker missed', async () => {
  const [source, folder] = [await house.cards('cards', 'a', cards), await house.cards('cards', 'b', 0)]
  const written = async (): Promise<ReadonlyArray<string>> => (await readdir(folder)).filter((name) => name.endsWith('.vcf'))
  await house.apply('cards', { flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: source }, destination: { provider: 'file', path: folder } }] })
  await until('the first cards', async () => (await written()).length > 20)
  await house.server.kill()
  expect((await written()).length).toBeLessThan(cards)
  await house.server.restart()

  const end = await house.result('the end of the run', ({ conn, outcome }) => conn === 'cards' && outcome === 'succeeded', 30_000)
  expect(end.flows[0]).toMatchObject({ links: cards, counts: { conflicts: 0, deleted: 0, parked: 0 } })
  expect(await written()).toHaveLength(cards)
  await until('the ack', async () => (await house.queued()) === 0)
  const marks = async (): Promise<ReadonlyArray<string>> => Promise.all((await written()).map(async (name) => { const { ino, mtimeMs } = await stat(join(folder, name)); return `${name} ${ino} ${mtimeMs}` }))
  const before = await marks()
  for (let n = 0; n < 2; n++) {
    expect(E.isRight(await publish(house.bus)('sync.request.cards', new Uint8Array())())).toBe(true)
    await until('a further run', () => house.results.filter(({ cause }) => cause === 'manual').length > n)
    expect(house.results.at(-1)).toMatchObject({ outcome: 'succeeded', quiet: true })
    await until('the ack', async () => (await house.queued()) === 0)
  }
  expect(await marks()).toEqual(before)
}, 60_000)
