/** Knows how writes become pieces: writes of one sort and the same columns, as texts, one statement each. Pure. */
import { badItem, type SyncFailure } from '../../domain/failure.ts'
import { canonicalJson, type Json } from '../../domain/json.ts'
import type { Fields } from '../../domain/record.ts'
import type { Write, Wrote } from '../connector.ts'
import { keyParts, keyText } from './items.ts'
import { isStoredAsSent } from './stored-as.ts'
import { driftOf, type Column, type Table } from './table.ts'

export type Line = {
  /** Place among the writes. */
  readonly at: number
  /** Key of the row that is meant: for an update the one it has now. */
  readonly key: ReadonlyArray<string>
  readonly expect: string | null
  /** Key of the row once it is written. */
  readonly keyAfter: ReadonlyArray<string>
  /** In the order of the piece's columns. */
  readonly cells: ReadonlyArray<string | null>
  /** What the row shows afterwards, as far as we know it: null = exactly what was sent, undefined = read it back. */
  readonly stored: Fields | null | undefined
}
export type Piece = { readonly do: Write['do']; readonly columns: ReadonlyArray<Column>; readonly lines: ReadonlyArray<Line> }
export type Pieces = { readonly pieces: ReadonlyArray<Piece>; readonly answered: ReadonlyMap<number, Wrote>; readonly drift: string | null }

export const piecesOf = (table: Table, writes: ReadonlyArray<Write>): Pieces => {
  const groups = new Map<string, { do: Write['do']; columns: ReadonlyArray<Column>; lines: Array<Line> }>()
  const answered = new Map<number, Wrote>()
  const created = new Set<string>()
  const strange = new Set<string>()
  for (const [at, write] of writes.entries()) {
    const key = keyParts(write.do === 'create' ? write.key : write.remoteId, table.key.length)
    if (key === null) {
      answered.set(at, write.do === 'create' ? { is: 'refused', failure: notAKey(table, write.key) } : { is: 'stale' })
      continue
    }
    if (write.do === 'delete') {
      const lines = groupOf(groups, 'delete', 'delete', []).lines
      lines.push({ at, key, expect: write.expect, keyAfter: key, cells: [], stored: null })
      continue
    }
    // Key columns that the flow does not map are told by the key itself.
    const fields: Fields = write.do === 'create' ? { ...Object.fromEntries(table.key.map(({ name }, n) => [name, key[n] ?? ''])), ...write.fields } : write.fields
    const names = Object.keys(fields)
    for (const name of names) if (!table.columns.has(name)) strange.add(name)
    if (write.do === 'create') {
      const id = table.key.map(({ name }, n) => asText(fields[name] ?? key[n] ?? '', false))
      const text = keyText(id.map((part) => part ?? ''))
      if (created.has(text)) {
        answered.set(at, { is: 'exists', remoteId: text })
        continue
      }
      created.add(text)
    }
    const group = groupOf(groups, `${write.do} ${[...names].sort().join('\n')}`, write.do, columnsFor(table, write.do, names))
    group.lines.push(lineOf(table, group.columns, at, write.do === 'create' ? null : write.expect, key, fields))
  }
  const order: ReadonlyArray<Write['do']> = ['create', 'update', 'delete']
  const pieces = order.flatMap((sort) => [...groups.values()].filter((group) => group.do === sort))
  return { pieces, answered, drift: driftOf(table.title, [...table.columns.keys()], [...strange]) }
}

const groupOf = <G extends { lines: Array<Line> }>(groups: Map<string, G & { do: Write['do']; columns: ReadonlyArray<Column> }>, id: string, sort: Write['do'], columns: ReadonlyArray<Column>) => {
  const group = groups.get(id) ?? ({ do: sort, columns, lines: [] as Array<Line> } as G & { do: Write['do']; columns: ReadonlyArray<Column> })
  groups.set(id, group)
  return group
}

const columnsFor = (table: Table, sort: Write['do'], names: ReadonlyArray<string>): ReadonlyArray<Column> =>
  names.flatMap((name) => table.columns.get(name) ?? []).filter(({ generated, always }) => !generated && !(always && sort === 'update'))

const lineOf = (table: Table, columns: ReadonlyArray<Column>, at: number, expect: string | null, key: ReadonlyArray<string>, fields: Fields): Line => {
  const cells: Array<string | null> = []
  let isAsSent = !table.rewrites
  let isText = true
  for (const column of columns) {
    const value = fields[column.name] ?? null
    const cell = asText(value, column.list)
    cells.push(cell)
    if (cell !== value) isText = false
    if (cell !== null && isAsSent && !isStoredAsSent(column, cell)) isAsSent = false
  }
  const known = new Map(columns.map(({ name }, n) => [name, cells[n] ?? null]))
  const isWhole = table.shown.every(({ name }) => known.has(name))
  const isExact = isText && Object.keys(fields).length === table.shown.length
  const keyAfter = table.key.map(({ name }, n) => known.get(name) ?? key[n] ?? '')
  const stored = !isAsSent || !isWhole ? undefined : isExact ? null : Object.fromEntries(table.shown.map(({ name }) => [name, known.get(name) ?? null]))
  return { at, key, expect, keyAfter, cells, stored }
}

/** A list for a column of lists is an array literal; every other structure is JSON. */
const asText = (value: Json, list: boolean): string | null => {
  if (value === null || typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  if (!list || !Array.isArray(value)) return canonicalJson(value)
  const elements = (value as ReadonlyArray<Json>).map((element) => (Array.isArray(element) ? (asText(element, true) ?? 'NULL') : element === null ? 'NULL' : `"${(asText(element, false) ?? '').replace(/["\\]/g, '\\$&')}"`))
  return `{${elements.join(',')}}`
}

const notAKey = (table: Table, key: string): SyncFailure => badItem(`"${key.slice(0, 80)}" is no key of ${table.title}: it has the columns ${table.key.map(({ name }) => name).join(', ')}`)
