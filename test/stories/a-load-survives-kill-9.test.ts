/** kill -9 in the middle of a 100,000-row load: started again, nothing is doubled and only uncommitted pages are read again. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshDatabase } from '../support/postgres.ts'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until } from '../support/processes.ts'

const rows = 100_000

let house: ProcessHouse
let database: pg.Client
let url: string

beforeAll(async () => {
  url = await freshDatabase()
  database = new pg.Client({ connectionString: url })
  await database.connect()
  // A gate in the middle: who inserts this row waits for a lock that the story holds.
  await database.query(`
    create table readings (id bigint primary key, meter text, kwh numeric);
    create function pass_the_gate() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return new; end';
    create trigger gate before insert on readings for each row when (new.id = ${rows / 2}) execute function pass_the_gate();
    select pg_advisory_lock(1);
  `)
  house = await startProcessHouse()
  await Promise.all([house.start('scheduler'), house.start('conflict-resolver')])
})
afterAll(async () => {
  await house.stop()
  await database.end()
})

const one = async (sql: string): Promise<number> => Number(Object.values((await database.query<Record<string, string>>(sql)).rows[0] ?? {})[0])
const stored = (): Promise<number> => one('select count(*) from readings')

it('T49 goes on where it was committed', async () => {
  const worker = await house.start('sync-worker', { METERS: url })
  const file = join(house.dir, 'readings.jsonl')
  await writeFile(file, Array.from({ length: rows }, (_, n) => `${JSON.stringify({ id: n, meter: `m${n % 100}`, kwh: n / 8 })}\n`).join(''))
  await house.apply('meters', { flows: [{ id: 'main', direction: 'one-way', kind: 'row', source: { provider: 'file', path: file, key: 'id' }, destination: { provider: 'postgres', url: { env: 'METERS' }, table: 'readings', key: 'id' } }] })
  await until('the load stands at the gate', async () => (await one(`select count(*) from pg_locks where locktype = 'advisory' and not granted`)) === 1)
  await worker.kill('SIGKILL')
  // As the server does by itself when it next writes to a client that is gone.
  await database.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'syncline'`)
  await until('nothing of it is under way', async () => (await one(`select count(*) from pg_stat_activity where application_name = 'syncline'`)) === 0)
  await database.query('select pg_advisory_unlock(1)')
  const before = await stored()
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThanOrEqual(rows / 2)

  await house.start('sync-worker', { METERS: url })
  const end = await house.result('the end of the load', ({ outcome }) => outcome === 'succeeded')
  if (house.stumbles() === 0) {
    expect([end.cause, end.attempt]).toEqual(['first', 2])
    expect(end.flows[0]?.counts).toMatchObject({ read: rows - before, created: rows - before })
  }
  expect(end.flows[0]).toMatchObject({ links: rows, counts: { conflicts: 0 } })
  const sums = await database.query<{ n: string; ids: string; kwh: string }>('select count(*) as n, sum(id) as ids, sum(kwh) as kwh from readings')
  const expected = (rows * (rows - 1)) / 2
  expect(sums.rows[0]).toEqual({ n: String(rows), ids: String(expected), kwh: expect.stringMatching(new RegExp(`^${expected / 8}(\\.0+)?$`)) as unknown })
})
