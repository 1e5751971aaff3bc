/**
 * Knows when rows may be stored just as another PostgreSQL wrote them, and will then show just that: same columns, same
 * types, same key, nobody who rewrites them. Pure. Says no when in doubt: then they go the way of all rows.
 */
import type { RowBatch } from '../row-batch.ts'
import type { Column, Table } from './table.ts'

/** What the server writes of these it reads as the very same value again. Types of users' own are not asked. */
const faithful = new Set([
  'bigint', 'integer', 'smallint', 'numeric', 'boolean', 'text', 'character varying', 'uuid', 'date', 'json', 'jsonb', 'bytea', 'interval', 'inet', 'cidr', 'macaddr',
  'double precision', 'real', 'timestamp with time zone', 'timestamp without time zone', 'time without time zone', 'time with time zone',
])

/** The columns to copy into, in the batch's order; null = the batch does not fit. */
export const fitOf = (table: Table, { columns, key }: Pick<RowBatch, 'columns' | 'key'>): ReadonlyArray<Column> | null => {
  if (table.rewrites || columns.length !== table.shown.length) return null
  if (key.length !== table.key.length || !table.key.every(({ name }, n) => name === key[n])) return null
  const shown = new Map(table.shown.map((column) => [column.name, column]))
  const into: Array<Column> = []
  for (const { name, type } of columns) {
    const column = shown.get(name)
    if (column === undefined || column.generated || column.full !== type || !faithful.has(column.type)) return null
    into.push(column)
  }
  return new Set(into).size === columns.length ? into : null
}
