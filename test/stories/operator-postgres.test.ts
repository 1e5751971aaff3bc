/**
 * What an operator takes back or forgets of a flow into PostgreSQL, by the command line: links and checkpoint stand there,
 * beside the rows.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import { cliOn, type Answered } from '../cli/run-cli.ts'
import { startHouse, type House } from '../support/house.ts'
import { freshDatabase } from '../support/postgres.ts'
import { until } from '../support/processes.ts'

let house: House
let database: pg.Client
let folder: string
let cli: ReturnType<typeof cliOn>

beforeAll(async () => {
  const url = await freshDatabase()
  database = new pg.Client({ connectionString: url })
  await database.connect()
  house = await startHouse({ connectors: new Map([[fileConnector.provider, fileConnector], [postgresConnector.provider, postgresConnector]]), env: { METERS: url } })
  folder = await mkdtemp(join(tmpdir(), 'syncline-operator-pg-'))
  cli = cliOn(house.server.url, { cwd: folder })
})
afterAll(async () => {
  await house.stop()
  await database.end()
  await rm(folder, { recursive: true, force: true })
})

const one = async (sql: string): Promise<string> => Object.values((await database.query<Record<string, string>>(sql)).rows[0] ?? {}).map(String).join(' ')
const links = async (id: string): Promise<number> => Number(await one(`select count(*) from syncline.link join syncline.checkpoint using (ledger) where conn = '${id}'`))
const written = async (file: string, rows: ReadonlyArray<readonly [id: number, meter: string]>): Promise<void> =>
  writeFile(file, rows.map(([id, meter]) => `${JSON.stringify({ id, meter })}\n`).join(''))
const apply = async (id: string, count: number): Promise<string> => {
  const file = join(folder, `${id}.jsonl`)
  await database.query(`create table ${id} (id bigint primary key, meter text)`)
  await written(file, Array.from({ length: count }, (_, n) => [n, `m${n}`] as const))
  await house.apply({ id, schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: 'one-way', kind: 'row', source: { provider: 'file', path: file, key: 'id' }, destination: { provider: 'postgres', url: { env: 'METERS' }, table: id, key: 'id' } }] })
  return file
}
/** Busy for a moment after every run. */
const whenFree = async (line: string): Promise<Answered> => {
  let told = await cli(line)
  await until(`free for ${line}`, async () => told.code !== 4 || (told = await cli(line)).code !== 4)
  return told
}

describe('a flow into PostgreSQL', () => {
  it('is reset beside the rows, which stay: the next run only links them again', async () => {
    await apply('meters', 3_000)
    expect((await whenFree('sync meters --wait')).code).toBe(0)
    expect(await links('meters')).toBe(3_000)
    const before = await one('select sum(hashtext(t::text || xmin::text)::bigint) from meters t')
    expect(await whenFree('reset meters --links')).toMatchObject({ code: 2, out: expect.stringContaining('would forget where it was read to and 3000 links') })
    expect(await links('meters')).toBe(3_000)
    expect((await whenFree('reset meters --links --confirm')).out).toContain('forgot where it was read to and 3000 links')
    expect([await links('meters'), await one(`select body->>'phase' from syncline.checkpoint where conn = 'meters'`)]).toEqual([0, 'first'])
    expect(await whenFree('sync meters --wait')).toMatchObject({ code: 0, out: expect.stringMatching(/3000 adopted.*\(first sync\)/) })
    expect(await one('select sum(hashtext(t::text || xmin::text)::bigint) from meters t')).toBe(before)
    expect((await whenFree('reset meters --confirm')).code).toBe(0)
    expect(await whenFree('sync meters --wait')).toMatchObject({ code: 0, out: expect.stringMatching(/\(everything was listed again\)/) })
  })

  it('is undone in the database, and the next runs find nothing to do', async () => {
    const file = await apply('tariffs', 50)
    expect((await whenFree('sync tariffs --wait')).code).toBe(0)
    await written(file, [...Array.from({ length: 49 }, (_, n) => [n, n < 5 ? `wrong ${n}` : `m${n}`] as const), [99, 'new']])
    const ran = await whenFree('sync tariffs --wait')
    expect(ran.out).toMatch(/1 created, 5 updated, 1 deleted/)
    await database.query(`update tariffs set meter = 'by hand' where id = 4`)
    const run = /\(run ([0-9A-Z]{26})\)/.exec(ran.out)?.[1] ?? ''
    const undone = await whenFree(`undo tariffs ${run} --confirm --reason wrong`)
    expect(undone).toMatchObject({ code: 5, out: expect.stringMatching(/1 created, 4 updated, 1 deleted[^]*left alone: "4" at the destination: it was edited since/) })
    expect(await one(`select string_agg(meter, ',' order by id) from tariffs where id in (0, 3, 4, 49, 99)`)).toBe('m0,m3,by hand,m49')
    const before = await one(`select string_agg(id || xmin::text, ',' order by id) from tariffs`)
    for (const line of ['sync tariffs --wait', 'sync tariffs --full --wait']) expect(await whenFree(line)).toMatchObject({ code: 0 })
    expect(await one(`select string_agg(id || xmin::text, ',' order by id) from tariffs`)).toBe(before)
  })
})
