/** Knows the statements that write rows and tell what became of them. Pure text. */
import { shown } from './page-sql.ts'
import { ident } from './sql.ts'
import type { Piece } from './pieces.ts'
import type { Column, Table } from './table.ts'

const names = (columns: ReadonlyArray<Column>): string => columns.map(({ name }) => ident(name)).join(', ')
/** `unnest($1::text[], …) WITH ORDINALITY q(c0, …, n)`; counting of parameters starts after `before`. */
const lists = (aliases: ReadonlyArray<string>): string => `unnest(${aliases.map((_, n) => `$${n + 1}::text[]`).join(', ')}) WITH ORDINALITY q(${aliases.join(', ')}, n)`
/** The limits of a type (varchar(20)) are left to the assignment, which refuses; a cast would cut. `bit` alone means bit(1). */
const value = (column: Column, alias: string): string => `q.${alias}::${column.type === '"bit"' ? 'varbit' : column.type}`
const sameKey = (table: Table): string => table.key.map((column, n) => `t.${ident(column.name)} = ${value(column, `k${n}`)}`).join(' AND ')
const keys = (table: Table): ReadonlyArray<string> => table.key.map((_, n) => `k${n}`)
const cells = (columns: ReadonlyArray<Column>): ReadonlyArray<string> => columns.map((_, n) => `c${n}`)

export const copyInto = (table: Table, columns: ReadonlyArray<Column>): string => `COPY ${table.sql} (${names(columns)}) FROM STDIN`

/** Version of the row with this key; parameters: the key's texts. */
export const versionOf = (table: Table): string => `SELECT t.xmin FROM ${table.sql} t WHERE ${table.key.map(({ name, type }, n) => `t.${ident(name)} = $${n + 1}::text::${type}`).join(' AND ')}`

/**
 * Answers [key as PostgreSQL writes it…] of every row inserted. A row marked as deleted comes to life again; any other that is
 * there stays. Not the version: an INSERT into a partitioned table cannot tell it.
 */
export const insert = (table: Table, columns: ReadonlyArray<Column>): string => {
  const key = table.key.map(({ name }) => name)
  const rest = columns.filter(({ name, always }) => !key.includes(name) && !always)
  const mark = table.softDelete
  const revived = mark === null ? [] : [...rest.filter(({ name }) => name !== mark.name).map(({ name }) => `${ident(name)} = excluded.${ident(name)}`), `${ident(mark.name)} = ${mark.type === 'boolean' ? 'false' : 'NULL'}`]
  const conflict = mark === null ? 'DO NOTHING' : `DO UPDATE SET ${revived.join(', ')} WHERE ${markOf(mark)} IS TRUE`
  return `INSERT INTO ${table.sql} AS t (${names(columns)}) OVERRIDING SYSTEM VALUE
    SELECT ${columns.map((column, n) => value(column, `c${n}`)).join(', ')} FROM ${lists(cells(columns))} ORDER BY q.n
    ON CONFLICT (${names(table.key)}) ${conflict} RETURNING ${table.key.map(shown).join(', ')}`
}

/** Of these keys: [place from 1, version, key as PostgreSQL writes it…] of every row that is there. */
export const present = (table: Table): string =>
  `SELECT q.n, r.* FROM ${lists(keys(table))} CROSS JOIN LATERAL (SELECT t.xmin, ${table.key.map(shown).join(', ')} FROM ${table.sql} t WHERE ${sameKey(table)} LIMIT 1) r ORDER BY q.n`

/** Parameters: key columns, expected versions, cells. Answers [place from 1, version] of every row updated. */
export const update = (table: Table, columns: ReadonlyArray<Column>): string =>
  `UPDATE ${table.sql} t SET ${columns.map((column, n) => `${ident(column.name)} = ${value(column, `c${n}`)}`).join(', ')}
   FROM ${lists([...keys(table), 'x', ...cells(columns)])} WHERE ${sameKey(table)} AND ${expected(table)} RETURNING q.n, t.xmin`

/** Parameters: key columns, expected versions. Answers [place from 1] of every row deleted, or marked as deleted. */
export const remove = (table: Table): string => {
  const from = lists([...keys(table), 'x'])
  const where = `WHERE ${sameKey(table)} AND ${expected(table)} RETURNING q.n`
  const mark = table.softDelete
  if (mark === null) return `DELETE FROM ${table.sql} t USING ${from} ${where}`
  return `UPDATE ${table.sql} t SET ${ident(mark.name)} = ${mark.type === 'boolean' ? 'true' : 'now()'} FROM ${from} ${where}`
}

const markOf = ({ name, type }: Column): string => (type === 'boolean' ? `t.${ident(name)}` : `(t.${ident(name)} IS NOT NULL)`)
const expected = (table: Table): string => `(q.x IS NULL OR t.xmin::text = q.x)${table.softDelete === null ? '' : ` AND ${markOf(table.softDelete)} IS NOT TRUE`}`

/** The parameters of `insert`, `update`, `remove` for the lines [from, to). */
export const columnsOf = (table: Table, piece: Piece, from: number, to: number): ReadonlyArray<ReadonlyArray<string | null>> => {
  const lines = piece.lines.slice(from, to)
  const written = piece.columns.map((_, n) => lines.map(({ cells: own }) => own[n] ?? null))
  if (piece.do === 'create') return written
  return [...table.key.map((_, n) => lines.map(({ key }) => key[n] ?? '')), lines.map(({ expect }) => expect), ...written]
}
