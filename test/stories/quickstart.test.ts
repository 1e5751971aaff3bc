/** `npm start` on an empty folder: three connections succeed, edits follow, Ctrl-C and kill -9 lose nothing and leave nothing. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { patienceMs, until } from '../support/processes.ts'
import { isThere, startUp, upFolder, type UpProcess } from '../support/up-process.ts'

type Statistics = {
  readonly runs: { readonly succeeded: number; readonly failed: number; readonly dead: number; readonly partial: number }
  readonly quiet_runs: number
  readonly connections: ReadonlyArray<{ readonly id: string; readonly state: string; readonly links: number; readonly runs: { readonly succeeded: number }; readonly changes: { readonly created: number; readonly conflicts: number } }>
}

let dir: string
let remove: () => Promise<void>
let up: UpProcess
beforeAll(async () => {
  ;({ dir, remove } = await upFolder())
})
afterAll(async () => {
  await (up as UpProcess | undefined)?.end('SIGKILL')
  await remove()
})

beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write((up as UpProcess | undefined)?.output() ?? '')))

/** What was in hand at the kill waits for its lease and its redelivery, half a minute each. */
const leaseAndMore = 1.5 * patienceMs

const file = (...path: ReadonlyArray<string>): string => join(dir, 'quickstart', ...path)
const statistics = async (): Promise<Statistics> => (await (await fetch(`${up.httpUrl}/api/sync/statistics`)).json()) as Statistics
const runsOf = async (conn: string): Promise<number> => (await statistics()).connections.find(({ id }) => id === conn)?.runs.succeeded ?? 0
const rows = async (): Promise<{ readonly rows: number; readonly distinct: number; readonly last: number }> => {
  const client = new pg.Client({ connectionString: (await readFile(join(dir, 'database.url'), 'utf8')).trim() })
  await client.connect()
  try {
    const { rows: [row] } = await client.query<{ rows: string; distinct: string; last: string }>('SELECT count(*) AS rows, count(DISTINCT id) AS distinct, max(id) AS last FROM meter_readings')
    return { rows: Number(row?.rows), distinct: Number(row?.distinct), last: Number(row?.last) }
  } finally {
    await client.end()
  }
}
/** Every item file of the two folder connections, with the time of its last change. */
const folders = ['contacts-a', 'contacts-b', 'calendar-team', 'calendar-me']
const times = async (): Promise<Readonly<Record<string, number>>> => {
  const all: Record<string, number> = {}
  for (const folder of folders) for (const name of await readdir(file(folder))) all[`${folder}/${name}`] = (await stat(file(folder, name))).mtimeMs
  return all
}
const areGone = (family: ReadonlyArray<number>): Promise<void> => until('its processes are gone', () => !family.some(isThere))

it('three connections succeed within seconds, and the readings keep coming', async () => {
  up = await startUp(dir, '--quickstart')
  await until('all three have succeeded', async () => (await statistics()).connections.filter(({ runs }) => runs.succeeded > 0).length === 3)
  const { runs, connections } = await statistics()
  expect(runs).toMatchObject({ failed: 0, dead: 0, partial: 0 })
  expect(connections.map(({ id, links, changes: { created, conflicts } }) => [id, id === 'meters' || links, id === 'meters' || created, conflicts])).toEqual(
    [['calendar', 5, 4, 1], ['contacts', 10, 7, 1], ['meters', true, true, 0]])
  expect((await readdir(file('contacts-a'))).sort()).toEqual((await readdir(file('contacts-b'))).sort())
  expect(await readFile(file('contacts-b', 'amara-okafor.vcf'), 'utf8')).toMatch(/TITLE:Head of Operations[^]*|NOTE:Prefers/)
  expect(await readdir(file('calendar-me'))).toContain('dentist.ics')
  const before = await rows()
  await until('more rows', async () => (await rows()).rows > before.rows)
  await until('the story is told', () => up.output().includes('Where to look next'))
  expect(up.output()).toMatch(/contacts +two folders of cards +[\d.]+ m?s +10 cards +7 created, .*1 conflict/)
})

it('an edited card reaches the other side', async () => {
  const card = await readFile(file('contacts-a', 'bruno-keller.vcf'), 'utf8')
  await writeFile(file('contacts-a', 'bruno-keller.vcf'), card.replace('TITLE:Electrician', 'TITLE:Master electrician'))
  await until('it has', async () => (await readFile(file('contacts-b', 'bruno-keller.vcf'), 'utf8')).includes('TITLE:Master electrician'))
})

it('Ctrl-C ends it well within ten seconds, with all it started', async () => {
  const family = await up.family()
  expect(family.length).toBeGreaterThan(3)
  const { code, tookMs } = await up.end('SIGINT')
  expect(code, up.output()).toBe(0)
  // A machine that takes long to start it takes long to end it.
  expect(tookMs).toBeLessThan(10_000 + up.tookMs)
  await areGone(family)
  expect((await readdir(dir)).sort()).toEqual(['nats', 'postgres', 'postgres.password', 'quickstart'])
})

it('started again it goes on, and copies nothing a second time', async () => {
  const before = await times()
  up = await startUp(dir, '--quickstart')
  const already = await Promise.all(['contacts', 'calendar', 'meters'].map(runsOf))
  await until('each has run again', async () => (await Promise.all(['contacts', 'calendar', 'meters'].map(runsOf))).every((runs, i) => runs > (already[i] ?? 0)))
  expect(await times()).toEqual(before)
  await until('it is told', () => /contacts .* 10 cards +nothing to do/.test(up.output()))
  expect((await statistics()).connections.find(({ id }) => id === 'contacts')?.changes.created).toBe(7)
})

it('a second start in the same folder is refused, and disturbs nothing', async () => {
  await expect(startUp(dir, '--quickstart')).rejects.toThrow(/ended with 4:\nsyncline: syncline is already running in .* \(process \d+/)
  expect((await statistics()).connections).toHaveLength(3)
})

it('after kill -9 its servers are gone too, and the next start goes on with nothing doubled', async () => {
  const [family, before] = [await up.family(), await times()]
  await up.end('SIGKILL')
  up = await startUp(dir, '--quickstart')
  await areGone(family)
  const already = await rows()
  await until('readings go on', async () => (await rows()).rows > already.rows, leaseAndMore)
  await until('the cards have been looked at', () => /contacts .* 10 cards +nothing to do/.test(up.output()), leaseAndMore)
  expect(await times()).toEqual(before)
  const { rows: all, distinct, last } = await rows()
  expect([distinct, last]).toEqual([all, all])
  expect((await up.end('SIGTERM')).code).toBe(0)
})
