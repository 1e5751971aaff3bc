/**
 * Knows the rows of SYNC.md §G (W4): one table of `id`, `updated_at` and payload columns in two databases; how they are
 * made, edited and compared; and the floor, which is what psql alone needs to bring the destination up to the source.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'

const columns = ['id', 'updated_at', 'name', 'city', 'amount', 'note'] as const
const types = 'id bigint PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now(), name text NOT NULL, city text, amount numeric(12,2) NOT NULL, note text'
const rest = columns.slice(1)
const sh = promisify(execFile)

export const connected = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

export const makeTable = (client: pg.Client, table: string): Promise<unknown> => client.query(`CREATE TABLE ${table} (${types})`)

/** About 120 bytes a row; a fiftieth of the cities is missing. The index is the one that docs/connectors ask for. */
export const fill = async (client: pg.Client, table: string, rows: number): Promise<void> => {
  await makeTable(client, table)
  await client.query(`INSERT INTO ${table} SELECT n, now() - interval '1 day' - (${rows} - n) * interval '1 ms', 'person number ' || n,
    CASE WHEN n % 50 = 0 THEN NULL ELSE 'city ' || n % 977 END, (n % 100000) / 100.0, 'a note of some length about number ' || md5(n::text) FROM generate_series(1, ${rows}) n`)
  await indexByCursor(client, table)
}
export const indexByCursor = (client: pg.Client, table: string): Promise<unknown> => client.query(`CREATE INDEX ON ${table} (updated_at, id); `)

/** Every hundredth row, from `offset`; spread over the whole table. */
export const editOneInHundred = async (client: pg.Client, table: string, offset: number, by: string): Promise<void> => {
  await client.query(`UPDATE ${table} SET updated_at = now(), note = 'edited by ${by} ' || md5(random()::text) WHERE id % 100 = ${offset}`)
}

export const vacuum = (client: pg.Client, table: string): Promise<unknown> => client.query(`VACUUM (ANALYZE) ${table}`)

/** Order of rows does not matter, every bit of them does. */
export const sumOf = async (client: pg.Client, table: string): Promise<string> => {
  const { rows } = await client.query<{ sum: string }>(`SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS sum FROM ${table} t`)
  return rows[0]?.sum ?? ''
}

/** COPY to a staging table and INSERT … ON CONFLICT … WHERE IS DISTINCT FROM, by two psql and a pipe. Answers milliseconds. */
export const floor = async (from: string, to: string, source: string, destination: string, where = 'true'): Promise<number> => {
  const names = columns.join(', ')
  const it = destination.split('.').at(-1) ?? destination
  const upsert = `INSERT INTO ${destination} SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}
    WHERE (${rest.map((name) => `${it}.${name}`).join(', ')}) IS DISTINCT FROM (${rest.map((name) => `excluded.${name}`).join(', ')})`
  const script = `set -o pipefail; psql -qX -v ON_ERROR_STOP=1 "$FROM" -c "COPY (SELECT ${names} FROM ${source} WHERE ${where}) TO STDOUT" |
    psql -qX -v ON_ERROR_STOP=1 "$TO" -c "CREATE TEMP TABLE staging (LIKE ${destination})" -c "COPY staging FROM STDIN" -c "${upsert}"`
  const begun = performance.now()
  await sh('bash', ['--norc', '-c', script], { env: { PATH: process.env['PATH'] ?? '', FROM: from, TO: to } })
  return performance.now() - begun
}
