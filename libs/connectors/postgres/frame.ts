/**
 * Knows what is asked of the database before a reading: which transactions are open, and the highest cursor value.
 * One statement; it must be answered before the first page is read.
 *
 * Open are the virtual transactions of this database, which also tell those that have not written yet: a row's now() is
 * the start of its transaction. Where their start can be seen it bounds the values they can still write.
 */
import { E } from '../../fp.ts'
import { bug, needsPerson, type SyncFailure } from '../../domain/failure.ts'
import { Frame } from './cursor.ts'
import type { Session } from './session.ts'
import { ident, literal } from './sql.ts'
import type { Table } from './table.ts'

const openTransactions = `
  SELECT l.virtualtransaction AS id, a.xact_start AS since FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()
    AND (a.datid IS NULL OR a.datid = (SELECT oid FROM pg_database WHERE datname = current_database()))
  UNION ALL SELECT 'prepared ' || transaction::text, NULL FROM pg_prepared_xacts WHERE database = current_database()`

export const takeFrame = async (session: Session, table: Table): Promise<E.Either<SyncFailure, Frame>> => {
  const { rows } = await session.query(frameSql(table))
  const frame = Frame.decode(JSON.parse(rows[0]?.[0] ?? 'null'))
  if (E.isLeft(frame)) return E.left(bug('the frame of a reading came back in a way that was not expected'))
  if (!frame.right.unplaced) return E.right(frame.right)
  const name = table.cursor?.column.name ?? ''
  return E.left(needsPerson(`${table.title} holds rows without ${name}: reading on by ${name} would never see them change`,
    `give them one and keep it so: ALTER TABLE ${table.sql} ALTER COLUMN ${ident(name)} SET NOT NULL;`))
}

const frameSql = ({ sql, cursor, timeZone }: Table): string => {
  const column = cursor === null ? '' : ident(cursor.column.name)
  const top = cursor === null ? 'NULL' : `(SELECT max(${column}) FROM ${sql})`
  const clock = (instant: string): string => (cursor?.kind === 'timestamp' ? `(${instant} AT TIME ZONE ${literal(timeZone)})` : instant)
  const lag = literal(cursor?.lag ?? '0')
  // One moment earlier: the instant itself may still be written.
  const margin = `${lag}::interval - interval '1 microsecond'`
  const isTime = cursor !== null && cursor.kind !== 'number'
  // A number may be shared by rows that come later, so the newest one is never settled; a time is once the lag is over.
  const bound = !isTime
    ? `(${top} - 1 - ${lag}::numeric)::text`
    : `CASE WHEN ${top} IS NOT NULL THEN least(${top}, ${clock(`now() - ${margin}`)}, ${clock(`(SELECT min(since) FROM others) - ${margin}`)})::text END`
  return `WITH others AS MATERIALIZED (${openTransactions})
    SELECT json_build_object('xmin', pg_snapshot_xmin(s)::text, 'xmax', pg_snapshot_xmax(s)::text, 'standby', pg_is_in_recovery(),
      'top', ${top}::text, 'bound', ${cursor === null ? 'NULL' : bound},
      'open', (SELECT coalesce(json_agg(id ORDER BY id), '[]') FROM others${isTime ? ' WHERE since IS NULL' : ''}),
      'unplaced', ${cursor === null || cursor.column.notNull ? 'false' : `EXISTS (SELECT FROM ${sql} WHERE ${column} IS NULL)`})
    FROM pg_current_snapshot() s`
}
