/**
 * Knows what a flow needs of a table: its columns, key, cursor; and says what is missing where (schema drift). Pure:
 * judges what describe.ts found in the catalogue.
 */
import * as t from 'io-ts'
import { E } from '../../fp.ts'
import { needsPerson, type SyncFailure } from '../../domain/failure.ts'
import type { PostgresOptions } from './options.ts'
import { ident } from './sql.ts'

export const Column = t.type({
  name: t.string,
  /** For casts: without its limit, so that a text that is too long is an error and never cut. */
  type: t.string,
  /** With its limit, as people write it. */
  full: t.string,
  /** It has a limit: varchar(20), numeric(12,2), timestamp(3). */
  limited: t.boolean,
  notNull: t.boolean,
  /** GENERATED ALWAYS AS IDENTITY: takes our value on insert only. */
  always: t.boolean,
  /** Computed by the server: never written. */
  generated: t.boolean,
  list: t.boolean,
})
export type Column = t.TypeOf<typeof Column>

/** A table as the catalogue shows it. */
export const Described = t.type({
  schema: t.string,
  name: t.string,
  /** r table, p partitioned, v view, m materialized view, f foreign table. */
  kind: t.string,
  /** Estimated rows; -1 = nobody counted yet. */
  rows: t.number,
  /** A trigger or rule may store something else than it was given. */
  rewrites: t.boolean,
  columns: t.array(Column),
  /** Unique, complete, immediate indexes: their columns; the primary key first. */
  keys: t.array(t.array(t.string)),
  primary: t.boolean,
  /** The server's own TimeZone: what `timestamp` without time zone probably means. */
  timeZone: t.string,
  version: t.number,
})
export type Described = t.TypeOf<typeof Described>

export type CursorColumn = { readonly column: Column; readonly kind: 'timestamptz' | 'timestamp' | 'number'; readonly lag: string }

export type Table = {
  /** Quoted. */
  readonly sql: string
  /** For people. */
  readonly title: string
  readonly key: ReadonlyArray<Column>
  /** What an item shows. */
  readonly shown: ReadonlyArray<Column>
  readonly columns: ReadonlyMap<string, Column>
  readonly cursor: CursorColumn | null
  readonly softDelete: Column | null
  readonly sweep: boolean
  /** Views and foreign tables have no xmin: no versions. */
  readonly hasXmin: boolean
  readonly isWritable: boolean
  readonly rewrites: boolean
  readonly rows: number
  readonly timeZone: string
}

export type TableAsk = { readonly options: PostgresOptions; readonly fields: ReadonlyArray<string> | undefined; readonly role: 'source' | 'destination'; readonly place: string }

export const tableOf = (found: Described, { options, fields, role, place }: TableAsk): E.Either<SyncFailure, Table> => {
  const sql = `${ident(found.schema)}.${ident(found.name)}`
  const title = `${found.schema}.${found.name}`
  const person = (message: string, mend: string) => E.left(needsPerson(`${place}: ${title} ${message}`, mend))
  if (found.version < 130_000) return person(`is on PostgreSQL ${Math.floor(found.version / 10_000)}`, 'use PostgreSQL 13 or newer')
  const hasXmin = found.kind === 'r' || found.kind === 'p' || found.kind === 'm'
  const isTable = found.kind === 'r' || found.kind === 'p'
  if (role === 'destination' && !isTable) return person('is not a table', 'name a table; a view or a foreign table can only be a source')

  const columns = new Map(found.columns.map((column) => [column.name, column]))
  const keyNames = options.key ?? (found.primary ? found.keys[0] : undefined)
  if (keyNames === undefined) return person('has no primary key', 'name the columns that identify a row: `key: id`')
  const wanted = [...keyNames, ...(options.cursor === null ? [] : [options.cursor]), ...(options.softDelete === null ? [] : [options.softDelete]), ...(fields ?? [])]
  const drift = driftOf(title, [...columns.keys()], wanted)
  if (drift !== null) return E.left(needsPerson(`${place}: ${drift}`, `add the columns to ${title}, or take them out of the flow`, { code: '42703' }))

  const pick = (names: ReadonlyArray<string>): ReadonlyArray<Column> => names.flatMap((name) => columns.get(name) ?? [])
  const key = pick(keyNames)
  if (isTable && !found.keys.some((unique) => unique.length === keyNames.length && unique.every((name) => keyNames.includes(name)))) {
    return person(`may hold two rows with the same ${keyNames.join(', ')}`, `CREATE UNIQUE INDEX ON ${sql} (${keyNames.map(ident).join(', ')});`)
  }
  const loose = isTable ? key.find(({ notNull }) => !notNull) : undefined
  if (loose !== undefined) return person(`may hold rows without ${loose.name}`, `ALTER TABLE ${sql} ALTER COLUMN ${ident(loose.name)} SET NOT NULL;`)
  const cursor = cursorOf(options.cursor === null ? undefined : columns.get(options.cursor), options.cursorLag)
  if (E.isLeft(cursor)) return person(cursor.left, 'take a column of type timestamptz, timestamp, bigint or integer, or leave `cursor` out')
  const softDelete = options.softDelete === null ? null : (columns.get(options.softDelete) ?? null)
  // The mark of deletion is this side's own bookkeeping, unless the flow maps it.
  const shown = fields === undefined ? found.columns.filter(({ name }) => name !== options.softDelete) : pick([...new Set(fields)])
  return E.right({ sql, title, key, shown, columns, cursor: cursor.right, softDelete, sweep: options.sweep, hasXmin, isWritable: isTable, rewrites: found.rewrites, rows: found.rows, timeZone: found.timeZone })
}

/** Which of the wanted columns are not there, and which there are; null = all are there. */
export const driftOf = (title: string, has: ReadonlyArray<string>, wanted: ReadonlyArray<string>): string | null => {
  const missing = [...new Set(wanted)].filter((name) => !has.includes(name))
  return missing.length === 0 ? null : `${title} has no column ${missing.join(', ')}; it has ${has.join(', ')}`
}

/** Times of applications' clocks may run late by this much; the server's own are watched by open transactions. */
const timeLag = '5 s'

const cursorOf = (column: Column | undefined, lag: string | null): E.Either<string, CursorColumn | null> => {
  if (column === undefined) return E.right(null)
  const kind = cursorKinds[column.type]
  if (kind === undefined) return E.left(`cannot be read on by ${column.name}: a ${column.full} does not grow with every change`)
  if (kind === 'number' && lag !== null && !/^\d+$/.test(lag)) return E.left(`has ${column.name} of type ${column.full}, so cursorLag must be a whole number`)
  return E.right({ column, kind, lag: kind === 'number' ? (lag ?? '0') : intervalOf(lag ?? timeLag) })
}

/** PostgreSQL reads a bare number as seconds, and `d` and `h` as days and hours. */
const intervalOf = (lag: string): string => (/^[\d.]+$/.test(lag) ? `${lag} s` : lag)

const cursorKinds: Readonly<Record<string, CursorColumn['kind']>> = {
  'timestamp with time zone': 'timestamptz', 'timestamp without time zone': 'timestamp',
  bigint: 'number', integer: 'number', smallint: 'number', numeric: 'number',
}
