/**
 * Two tables of a PostgreSQL; links and checkpoint stand beside the rows of the second. Read by their keys every time, or with a
 * cursor and a mark of deletion, so that they tell what changed.
 */
import pg from 'pg'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import { freshDatabase } from '../postgres.ts'
import type { Ground, Place } from './ground.ts'

/** Whoever sets the time of an edit is believed. */
const touch = `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' OR NEW.changed IS NOT DISTINCT FROM OLD.changed THEN NEW.changed := clock_timestamp(); END IF;
  RETURN NEW;
END $$;`
const tells = (name: string): string => `
  ALTER TABLE ${name} ADD changed timestamptz NOT NULL, ADD gone timestamptz;
  CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION touch();`

export const tables = (tellsChanges: boolean) => async (): Promise<Ground> => {
  const url = await freshDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const sql = async (text: string) => (await client.query<Record<string, unknown>>(text)).rows
  if (tellsChanges) await sql(touch)
  for (const name of ['a', 'b']) {
    await sql(`create table ${name} (id text primary key, name text not null ${name === 'b' ? `check (name <> 'unwanted')` : ''}, mail text, note text); ${tellsChanges ? tells(name) : ''}`)
  }
  return {
    connector: postgresConnector, kind: 'row', url, sql,
    places: [tableOf(client, 'a', tellsChanges), tableOf(client, 'b', tellsChanges)],
    side: (name) => ({ provider: 'postgres', url: { env: 'PG' }, table: name, ...(tellsChanges ? { cursor: 'changed', softDelete: 'gone' } : {}) }),
    fields: { name: 'name', mail: 'mail' },
    otherFields: { name: 'name', mail: 'mail', note: 'note' },
    checkpoint: async () => (await sql('SELECT body FROM syncline.checkpoint'))[0]?.['body'] as Awaited<ReturnType<NonNullable<Ground['checkpoint']>>>,
    // What is stored goes back or ahead instead of the server: 2^31 transactions are half the circle of their numbers.
    loseCursors: async (how) => {
      const distance = how === 'expired' ? -(2 ** 31) : 1_000_000
      const [stored] = await sql('SELECT body FROM syncline.checkpoint')
      const body = stored?.['body'] as { readonly cursorA: string }
      const cursorA = body.cursorA.replaceAll(/"xid":"(\d+)"/g, (_, xid: string) => `"xid":"${Number(xid) + distance}"`)
      await client.query('UPDATE syncline.checkpoint SET body = $1', [{ ...body, cursorA }])
    },
    stop: () => client.end(),
  }
}

const tableOf = (client: pg.Client, table: string, tellsChanges: boolean): Place => {
  const there = tellsChanges ? 'gone is null' : 'true'
  const again = `name = excluded.name, mail = excluded.mail${tellsChanges ? ', gone = null' : ''}`
  const run = async (text: string, values: ReadonlyArray<unknown>): Promise<void> => void (await client.query(text, [...values]))
  return {
    put: (key, { name, mail }) => run(`insert into ${table} (id, name, mail) values ($1, $2, $3) on conflict (id) do update set ${again}`, [key, name, mail ?? null]),
    remove: (key) => run(tellsChanges ? `update ${table} set gone = now() where id = $1` : `delete from ${table} where id = $1`, [key]),
    shown: async () => {
      const { rows } = await client.query<{ id: string; name: string; mail: string | null }>(`select * from ${table} where ${there} order by id`)
      return Object.fromEntries(rows.map(({ id, name, mail }) => [id, { name, ...(mail === null ? {} : { mail }) }]))
    },
    marks: async () => {
      const { rows } = await client.query<{ id: string; mark: string }>(`select id, xmin::text as mark from ${table} order by id`)
      return Object.fromEntries(rows.map(({ id, mark }) => [id, mark]))
    },
    touch: (key) => run(`update ${table} set name = name where id = $1`, [key]),
    rekey: (key, to) => run(`update ${table} set id = $2 where id = $1`, [key, to]),
    ...(tellsChanges ? { date: (key: string, at: Date) => run(`update ${table} set changed = $2 where id = $1`, [key, at]) } : {}),
  }
}
