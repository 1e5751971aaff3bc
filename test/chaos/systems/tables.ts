/**
 * Knows PostgreSQL tables as their clients edit them, and the triggers that write down every committed change, the engine's
 * too: who did it is told by the application name. Does not know what the engine makes of it.
 */
import pg from 'pg'
import { monotonic, type Remote, type SideName, type Sidecar } from '../history.ts'
import { nothingDone, type System } from './system.ts'

export type TableOptions = { readonly name: string; readonly urlName: string; readonly delta: boolean; readonly conn: string; readonly side: SideName }

export type Tables = {
  /** Makes the table and watches it. */
  readonly table: (options: TableOptions) => Promise<System>
  /** Watches the fences of the sidecar too, once the engine has made it. */
  readonly watchSidecar: () => Promise<boolean>
  /** What the triggers wrote down, oldest first. `toMonotonic`: from ms since the epoch. */
  readonly remotes: (toMonotonic: (wall: number) => number) => Promise<ReadonlyArray<Remote>>
  readonly sidecars: (toMonotonic: (wall: number) => number) => Promise<ReadonlyArray<Sidecar>>
  readonly links: () => Promise<ReadonlyArray<{ readonly conn: string; readonly flow: string; readonly linkKey: string; readonly state: string; readonly raw: unknown }>>
  readonly setReadOnly: (readOnly: boolean) => Promise<void>
  /** Ends the engine's sessions; answers how many. */
  readonly terminate: () => Promise<number>
  readonly createDatabase: (name: string) => Promise<void>
  readonly close: () => Promise<void>
}

const clientName = 'chaos-client'

/** One database. A client's session does not follow the database's read-only switch: it is the engine's fault to meet. */
export const openTables = async (url: string): Promise<Tables> => {
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: clientName, options: '-c default_transaction_read_only=off' })
  pool.on('error', () => undefined)
  await pool.query(audit)
  const sides = new Map<string, TableOptions>()
  return {
    table: async (options) => {
      const { name } = options
      sides.set(name, options)
      await pool.query(`CREATE TABLE ${name} (id text PRIMARY KEY, value text${options.delta ? ', changed_at timestamptz NOT NULL DEFAULT clock_timestamp()' : ''})`)
      if (options.delta) await pool.query(`CREATE TRIGGER touched BEFORE UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION chaos.touch()`)
      await pool.query(`CREATE TRIGGER seen AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION chaos.note()`)
      return tableSystem(pool, options)
    },
    watchSidecar: async () => {
      const { rows } = await pool.query<{ there: boolean }>("SELECT to_regclass('syncline.checkpoint') IS NOT NULL AS there")
      if (rows[0]?.there !== true) return false
      await pool.query('CREATE OR REPLACE TRIGGER seen AFTER INSERT OR UPDATE ON syncline.checkpoint FOR EACH ROW EXECUTE FUNCTION chaos.note_fence()')
      return true
    },
    remotes: async (toMonotonic) => {
      const { rows } = await pool.query<{ at: string; tab: string; op: string; id: string; was: string | null; value: string | null; fence: string | null }>(
        'SELECT extract(epoch FROM at) * 1000 AS at, tab, op, id, was, value, fence FROM chaos.changes WHERE who <> $1 ORDER BY n', [clientName])
      return rows.flatMap(({ at, tab, op, id, was, value, fence }): ReadonlyArray<Remote> => {
        const of = sides.get(tab)
        if (of === undefined) return []
        const verb = op === 'INSERT' ? 'CREATE' : op === 'UPDATE' ? 'UPDATE' : 'DELETE'
        return [{ is: 'remote', at: toMonotonic(Number(at)), by: 'audit', conn: of.conn, side: of.side, verb, key: id, remoteId: id, value, was, status: 200, applied: true, ...(fence === null ? {} : { fence: Number(fence) }) }]
      })
    },
    sidecars: async (toMonotonic) => {
      const { rows } = await pool.query<{ n: string; at: string; conn: string; flow: string; fence: string; before: string | null; body: { readonly cursorA?: string | null } | null }>(
        'SELECT n, extract(epoch FROM at) * 1000 AS at, conn, flow, fence, before, body FROM chaos.fences ORDER BY n')
      return rows.map(({ n, at, conn, flow, fence, before, body }) => ({
        is: 'sidecar', at: toMonotonic(Number(at)), order: Number(n), conn, flow, fence: Number(fence), before: before === null ? null : Number(before), cursor: body?.cursorA ?? null, raw: body,
      }))
    },
    links: async () => {
      const { rows: there } = await pool.query<{ there: boolean }>("SELECT to_regclass('syncline.link') IS NOT NULL AS there")
      if (there[0]?.there !== true) return []
      const { rows } = await pool.query<{ conn: string; flow: string; link_key: string; st: string; raw: unknown }>('SELECT c.conn, c.flow, l.link_key, l.st, to_json(l) AS raw FROM syncline.link l JOIN syncline.checkpoint c USING (ledger)')
      return rows.map(({ conn, flow, link_key, st, raw }) => ({ conn, flow, linkKey: link_key, state: st, raw }))
    },
    setReadOnly: async (readOnly) => {
      const name = new URL(url).pathname.slice(1)
      await pool.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${readOnly ? 'on' : 'off'}`)
      // Sessions that are there keep what they had: they are ended, as a failover would.
      await pool.query(endAll, [clientName])
    },
    terminate: async () => (await pool.query(endAll, [clientName])).rowCount ?? 0,
    createDatabase: async (name) => void (await pool.query(`CREATE DATABASE ${name}`)),
    close: () => pool.end(),
  }
}

const endAll = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> $1 AND pid <> pg_backend_pid()'

const tableSystem = (pool: pg.Pool, { name, urlName, delta }: TableOptions): System => ({
  kind: 'postgres',
  side: { provider: 'postgres', url: { env: urlName }, table: name, ...(delta ? { cursor: 'changed_at', sweep: true } : {}) },
  edit: async (key, value) => {
    const client = await pool.connect().catch(() => undefined)
    if (client === undefined) return { kind: value === null ? 'delete' : 'update', before: null, result: 'fail' }
    let before: string | null = null
    let isGood = true
    try {
      await client.query('BEGIN')
      const found = (await client.query<{ value: string | null }>(`SELECT value FROM ${name} WHERE id = $1 FOR UPDATE`, [key])).rows[0]
      before = found?.value ?? null
      if (value === null) {
        if (found === undefined) return await client.query('ROLLBACK').then(() => nothingDone())
        await client.query(`DELETE FROM ${name} WHERE id = $1`, [key])
      } else if (found !== undefined) await client.query(`UPDATE ${name} SET value = $2 WHERE id = $1`, [key, value])
      else {
        const made = await client.query(`INSERT INTO ${name} (id, value) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, [key, value])
        if (made.rowCount === 0) return await client.query('ROLLBACK').then(() => nothingDone())
      }
      await client.query('COMMIT')
      return { kind: value === null ? 'delete' : found === undefined ? 'create' : 'update', before, result: 'ok' }
    } catch {
      isGood = false
      return { kind: value === null ? 'delete' : 'update', before, result: 'unknown' }
    } finally {
      client.release(!isGood)
    }
  },
  all: async () => (await pool.query<{ id: string; value: string | null }>(`SELECT id, value FROM ${name} ORDER BY id`)).rows.map(({ id, value }) => ({ key: id, remoteId: id, value })),
})

/** `n` is taken while the row is locked: per row its order is that of the commits. */
const audit = `
CREATE SCHEMA IF NOT EXISTS chaos;
CREATE TABLE chaos.changes (n bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), tab text, op text, id text, was text, value text, who text, fence bigint);
CREATE TABLE chaos.fences (n bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), conn text, flow text, fence bigint, before bigint, body json);
GRANT USAGE ON SCHEMA chaos TO PUBLIC;
CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO chaos.changes (tab, op, id, was, value, who) VALUES (TG_TABLE_NAME, TG_OP, coalesce(NEW.id, OLD.id), OLD.value, NEW.value, current_setting('application_name'));
  RETURN NULL; END $$;
CREATE FUNCTION chaos.note_fence() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO chaos.fences (conn, flow, fence, before, body) VALUES (NEW.conn, NEW.flow, NEW.fence, OLD.fence, NEW.body);
  RETURN NULL; END $$;
CREATE FUNCTION chaos.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed_at := clock_timestamp(); RETURN NEW; END $$;`

/** Wall clock of this machine to its monotonic one. Both of one machine: the database's clock is ours. */
export const wallToMonotonic = (): ((wall: number) => number) => {
  const offset = monotonic() - Date.now()
  return (wall) => wall + offset
}
