/** Knows how a table is looked up in the catalogue, and made when it is missing and the options say of what. */
import { E } from '../../fp.ts'
import { bug, needsPerson, type SyncFailure } from '../../domain/failure.ts'
import type { Session } from './session.ts'
import { ident } from './sql.ts'
import { Described, tableOf, type Table, type TableAsk } from './table.ts'

/** One round trip. Triggers: row (1), before or instead (2, 64), on insert or update (4, 16). */
const catalogue = `
SELECT json_build_object(
  'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'rows', c.reltuples,
  'rewrites', EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 1 = 1 AND g.tgtype & 66 <> 0 AND g.tgtype & 20 <> 0)
    OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3')),
  'columns', (SELECT coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, -1), 'full', format_type(a.atttypid, a.atttypmod), 'limited', a.atttypmod >= 0,
      'notNull', a.attnotnull, 'always', a.attidentity = 'a', 'generated', a.attgenerated <> '', 'list', y.typcategory = 'A') ORDER BY a.attnum), '[]')
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'keys', (SELECT coalesce(json_agg((SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts) ORDER BY i.indisprimary DESC), '[]')
    FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL),
  'primary', EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
  'timeZone', (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'),
  'version', current_setting('server_version_num')::int)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

export const describe = async (session: Session, ask: TableAsk): Promise<E.Either<SyncFailure, Table>> => {
  const { table, columns } = ask.options
  const name = `${table.schema === null ? '' : `${ident(table.schema)}.`}${ident(table.name)}`
  let text = (await session.query(catalogue, [name])).rows[0]?.[0]
  if (text === undefined && columns !== null && ask.role === 'destination') {
    const key = ask.options.key ?? columns.slice(0, 1).map(([column]) => column)
    await session.query(`CREATE TABLE IF NOT EXISTS ${name} (${columns.map(([column, type]) => `${ident(column)} ${type}`).join(', ')}, PRIMARY KEY (${key.map(ident).join(', ')}))`)
    text = (await session.query(catalogue, [name])).rows[0]?.[0]
  }
  if (text === undefined || text === null) {
    return E.left(needsPerson(`${ask.place}: there is no table ${table.schema === null ? '' : `${table.schema}.`}${table.name}`,
      ask.role === 'destination' ? 'create it, or give `columns: { id: bigint, … }` to have it made' : 'create it, or correct `table`', { code: '42P01' }))
  }
  const found = Described.decode(JSON.parse(text))
  return E.isLeft(found) ? E.left(bug(`the catalogue of ${ask.place} shows ${name} in a way that was not expected`)) : tableOf(found.right, ask)
}
