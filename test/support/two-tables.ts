/**
 * One worker's engine between two tables of a real PostgreSQL that tell what changed, deletions too; links and checkpoint
 * stand beside the rows of `b`. Does not know what is to be expected.
 */
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E, TE } from '#libs/fp.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import { engineRig, type EngineRig } from './engine-rig.ts'
import { freshDatabase } from './postgres.ts'

type Table = 'a' | 'b'

export type TwoTables = {
  readonly state: EngineRig['state']
  readonly options: { flow: Record<string, unknown>; connection: Record<string, unknown>; between: ((name: 'source' | 'destination', side: Side) => Side) | undefined }
  readonly put: (table: Table, keys: ReadonlyArray<string>, name: string) => Promise<void>
  readonly remove: (table: Table, keys: ReadonlyArray<string>) => Promise<void>
  /** Names by key, of what is not gone. */
  readonly shown: (table: Table) => Promise<Readonly<Record<string, string>>>
  readonly sql: (text: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  readonly play: (item?: Partial<WorkItem>) => Promise<RunEnd>
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunResult>
  /** Rows that were written since, by whomever. */
  readonly writes: () => Promise<{ readonly a: number; readonly b: number }>
}

const tableOf = (name: Table): string => `
  CREATE TABLE ${name} (id text PRIMARY KEY, name text, note text, changed timestamptz NOT NULL, gone timestamptz);
  CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE TRIGGER tell AFTER INSERT OR UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION tell();`

export const twoTables = async (): Promise<TwoTables> => {
  const url = await freshDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`CREATE TABLE written (name text);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed := clock_timestamp(); RETURN NEW; END $$;
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
    ${tableOf('a')} ${tableOf('b')}`)
  const rig = engineRig()
  const options: TwoTables['options'] = { flow: {}, connection: {}, between: undefined }
  const side = (table: Table) => ({ provider: 'postgres', url: { env: 'PG' }, table, cursor: 'changed', softDelete: 'gone' })
  const connectionOf = (): Connection => {
    const decoded = Connection.decode({ id: 'c1', schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: 'two-way', kind: 'row', source: side('a'), destination: side('b'), fields: { name: 'name' }, ...options.flow }], ...options.connection })
    if (E.isLeft(decoded)) throw new Error('the rig made a connection that does not decode')
    return decoded.right
  }
  const ports: EngineRig['ports'] = {
    ...rig.ports,
    connection: () => TE.fromIO(connectionOf),
    openSide: ({ id }, flow, name, signal) => {
      const { provider: _, ...where } = name === 'source' ? flow.source : flow.destination
      return TE.map((one: Side) => options.between?.(name, one) ?? one)(postgresConnector.open({ options: where, kind: flow.kind, role: name, connection: id, flow: flow.id, secret: () => url, signal }))
    },
  }
  const sql: TwoTables['sql'] = async (text) => (await client.query<Record<string, unknown>>(text)).rows
  const play: TwoTables['play'] = (item = {}) => rig.play(item, { ports })
  return {
    state: rig.state, options, sql, play,
    put: async (table, keys, name) => void (await client.query(`INSERT INTO ${table} (id, name) SELECT id, $2 FROM unnest($1::text[]) id ON CONFLICT (id) DO UPDATE SET name = excluded.name, gone = NULL`, [keys, name])),
    remove: async (table, keys) => void (await client.query(`UPDATE ${table} SET gone = now() WHERE id = ANY ($1)`, [keys])),
    shown: async (table) => Object.fromEntries((await sql(`SELECT id, name FROM ${table} WHERE gone IS NULL ORDER BY id`)).map(({ id, name }) => [String(id), String(name)])),
    sync: async (item) => (await play(item)).result,
    writes: async () => {
      const written = await sql('DELETE FROM written RETURNING name')
      const of = (table: Table): number => written.filter(({ name }) => name === table).length
      return { a: of('a'), b: of('b') }
    },
  }
}
