/** Knows the statements that read a page, a key or a count. Pure text; keyset order, never OFFSET. */
import type { Position } from './cursor.ts'
import { ident, literal, tuple } from './sql.ts'
import type { Column, Table } from './table.ts'

/** What a page's row holds, by place: version, deleted?, complete?, cursor value, key…, fields…. */
export const firstKey = 4

/** As text: booleans as true and false, and padded characters without their padding. */
export const shown = ({ name, type }: Column): string => (type === 'boolean' || type === 'bpchar' ? `t.${ident(name)}::text` : `t.${ident(name)}`)

/** As COPY writes booleans. Constants rather than NULL: a line without NULL and escapes is cut in one go. */
const [yes, no] = ["'t'", "'f'"]

const version = (table: Table): string => (table.hasXmin ? 't.xmin' : 'NULL')
const edited = ({ cursor }: Table): string => (cursor === null ? 'NULL' : column(cursor.column))
const column = ({ name }: Column): string => `t.${ident(name)}`
const isDeleted = ({ name, type }: Column): string => (type === 'boolean' ? `t.${ident(name)}` : `(t.${ident(name)} IS NOT NULL)`)

/** Not marked as deleted. */
export const alive = (table: Table): string => (table.softDelete === null ? 'true' : `${isDeleted(table.softDelete)} IS NOT TRUE`)

/** Columns of a found row, in the order of a page's row. */
export const cells = (table: Table): string =>
  [version(table), no, yes, edited(table), ...table.key.map(shown), ...table.shown.map(shown)].join(', ')

/**
 * Touched by a transaction that was not over at the position. Rows know 32 bits of their transaction; half the circle
 * counts as newer. Savepoints have numbers of their own, always above their transaction's: the plain order holds for them.
 */
const touchedSince = (table: Table, since: Position): string =>
  table.hasXmin ? `((t.xmin::text::bigint - ${String(BigInt(since.xid) & 0xffff_ffffn)}) & 4294967295) < 2147483648` : 'true'

const cast = (value: string, { type }: Column): string => `${literal(value)}::${type}`
const behind = (columns: ReadonlyArray<Column>, after: ReadonlyArray<string> | null): string =>
  after === null ? 'true' : `${tuple(columns.map(column))} > ${tuple(columns.map((by, n) => cast(after[n] ?? '', by)))}`
const copy = (select: string): string => `COPY (${select}) TO STDOUT`

/** All rows by key. Once something is known of the table, only rows touched since come with their content. */
export const listingPage = (table: Table, since: Position | null, after: ReadonlyArray<string> | null, limit: number): string => {
  const news = since === null ? yes : touchedSince(table, since)
  const lean = (cell: string): string => (since === null ? cell : `CASE WHEN ${news} THEN ${cell} END`)
  const selected = [version(table), no, news, edited(table), ...table.key.map(shown), ...table.shown.map(shown).map(lean)]
  return copy(`SELECT ${selected.join(', ')} FROM ${table.sql} t WHERE ${alive(table)} AND ${behind(table.key, after)} ORDER BY ${table.key.map(column).join(', ')} LIMIT ${limit}`)
}

/** Rows behind the position by cursor and key, those marked as deleted among them. */
export const deltaPage = (table: Table, by: Column, since: Position, top: string, after: ReadonlyArray<string> | null, limit: number): string => {
  const order = [by, ...table.key]
  const deleted = table.softDelete === null ? no : `${isDeleted(table.softDelete)} IS TRUE`
  const selected = [version(table), deleted, yes, column(by), ...table.key.map(shown), ...table.shown.map(shown)]
  const within = [behindPosition(table, since), `${column(by)} <= ${cast(top, by)}`, behind(order, after)]
  return copy(`SELECT ${selected.join(', ')} FROM ${table.sql} t WHERE ${within.join(' AND ')} ORDER BY ${order.map(column).join(', ')} LIMIT ${limit}`)
}

/** Enough to say "many". */
export const mostCounted = 10_000

/** How many rows wait behind the position, at most `mostCounted`. */
export const waiting = (table: Table, since: Position): string => `SELECT count(*) FROM (SELECT FROM ${table.sql} t WHERE ${behindPosition(table, since)} LIMIT ${mostCounted}) w`

const behindPosition = (table: Table, since: Position): string =>
  `${table.cursor === null || since.low === null ? 'true' : `${column(table.cursor.column)} > ${cast(since.low, table.cursor.column)}`} AND ${touchedSince(table, since)}`
