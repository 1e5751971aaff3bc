/**
 * T51 into PostgreSQL: a worker is stopped (SIGSTOP) for longer than its lease, between two transactions or inside one;
 * another finishes the load; the first wakes up (SIGCONT), writes nothing more and says "fenced".
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshDatabase } from '../support/postgres.ts'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until, type ServiceProcess } from '../support/processes.ts'

const rows = 20_000

let house: ProcessHouse
let database: pg.Client
const workers = new Map<string, ServiceProcess>()

beforeAll(async () => {
  const url = await freshDatabase()
  database = new pg.Client({ connectionString: url })
  await database.connect()
  house = await startProcessHouse()
  const [, , one, two] = await Promise.all([
    house.start('scheduler'), house.start('conflict-resolver'),
    house.start('sync-worker', { WORKER_NAME: 'one', METERS: url }), house.start('sync-worker', { WORKER_NAME: 'two', METERS: url }),
  ])
  workers.set('one', one).set('two', two)
}, 60_000)
afterAll(async () => {
  await house.stop()
  await database.end()
})

const one = async (sql: string): Promise<string> => Object.values((await database.query<Record<string, string>>(sql)).rows[0] ?? {}).map(String).join(' ')
/** Sessions of workers that are inside a transaction. */
const inside = (): Promise<string> => one(`select count(*) from pg_stat_activity where application_name = 'syncline' and backend_type = 'client backend' and datname = current_database() and xact_start is not null`)

it.each(['between two transactions', 'inside a transaction'] as const)('stopped %s', async (where) => {
  const id = where === 'inside a transaction' ? 'inside' : 'between'
  await database.query(`create table ${id} (id bigint primary key, meter text, kwh numeric)`)
  const file = join(house.dir, `${id}.jsonl`)
  await writeFile(file, Array.from({ length: rows }, (_, n) => `${JSON.stringify({ id: n, meter: `m${n % 100}`, kwh: n / 8 })}\n`).join(''))
  await house.apply(id, { flows: [{ id: 'main', direction: 'one-way', kind: 'row', source: { provider: 'file', path: file, key: 'id' }, destination: { provider: 'postgres', url: { env: 'METERS' }, table: id, key: 'id' } }] })
  await until('a part of the load', async () => Number(await one(`select count(*) from ${id}`)) > 2_000)
  const first = workers.get((await house.owner(id)) ?? '')
  if (first === undefined) throw new Error('nobody holds the lease')
  const wanted = where === 'inside a transaction' ? '1' : '0'
  for (let tries = 0; ; tries++) {
    first.child.kill('SIGSTOP')
    // What it sent before is carried out by the server without it.
    await new Promise((done) => setTimeout(done, 60))
    if ((await inside()) === wanted) break
    if (tries > 200) throw new Error(`never ${where}`)
    first.child.kill('SIGCONT')
    await new Promise((done) => setTimeout(done, 7))
  }
  expect(Number(await one(`select count(*) from ${id}`))).toBeLessThan(rows)
  // As the server does by itself after 30 s of silence inside a transaction; the story has no patience.
  if (where === 'inside a transaction') await one(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'syncline' and xact_start is not null`)

  const end = await house.result('the end of the load', ({ conn, outcome }) => conn === id && outcome === 'succeeded')
  expect(end.attempt).toBeGreaterThan(1)
  expect(end.flows[0]?.links).toBe(rows)
  expect(workers.get(end.worker ?? '')).not.toBe(first)
  // xmin: the transaction that wrote a row last. One write more by anybody would show.
  const rowsNow = `select count(*), sum(hashtext(t::text || xmin::text)::bigint) from ${id} t`
  const ledgerNow = `select string_agg(hashtext(c::text || xmin::text)::text, ' ' order by c::text) from syncline.checkpoint c`
  const before = [await one(rowsNow), await one(ledgerNow)]
  expect(before[0]).toMatch(new RegExp(`^${rows} `))

  const told = first.output().length
  first.child.kill('SIGCONT')
  await until('it says so', () => first.output().slice(told).includes('run.fenced'))
  expect([await one(rowsNow), await one(ledgerNow)]).toEqual(before)
  expect(house.results.filter(({ conn }) => conn === id)).toHaveLength(1)
}, 60_000)
