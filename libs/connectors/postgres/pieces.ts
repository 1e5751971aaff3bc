/** Knows how writes become pieces: writes of one sort with the same columns, as texts, for one statement. Pure. */
import { badItem, type SyncFailure } from '../../domain/failure.ts'
import { canonicalJson, isList, type Json } from '../../domain/json.ts'
import type { Fields } from '../../domain/record.ts'
import type { Write, Wrote } from '../connector.ts'
import { keyParts, keyText } from './items.ts'
import { isStoredAsSent } from './stored-as.ts'
import { driftOf, type Column, type Table } from './table.ts'

export type Line = {
  /** Place among the writes. */
  readonly at: number
  /** Key of the row that is meant: of an update the one it has now. */
  readonly key: ReadonlyArray<string>
  readonly expect: string | null
  /** Key of the row once it is written. */
  readonly keyAfter: ReadonlyArray<string>
  /** In the order of the piece's columns. */
  readonly cells: ReadonlyArray<string | null>
  /** What the row shows afterwards, as far as we know: `sent` = just that, null = it must be read back. */
  readonly stored: 'sent' | Fields | null
}
export type Piece = { readonly do: Write['do']; readonly columns: ReadonlyArray<Column>; readonly lines: ReadonlyArray<Line> }
/** `answered`: writes that need no statement. `drift`: fields the table has no column for; then nothing can be written. */
export type Pieces = { readonly pieces: ReadonlyArray<Piece>; readonly answered: ReadonlyMap<number, Wrote>; readonly drift: string | null }

type Shape = {
  readonly do: Write['do']
  /** Of the fields that are written. */
  readonly names: ReadonlyArray<string>
  readonly columns: ReadonlyArray<Column>
  /** Where among the columns the key's and the shown ones stand; -1 = it is not among them. */
  readonly keyAt: ReadonlyArray<number>
  readonly shownAt: ReadonlyArray<number>
  readonly isWhole: boolean
  readonly isExact: boolean
}
type Group = { readonly shape: Shape; readonly lines: Array<Line> }

export const piecesOf = (table: Table, writes: ReadonlyArray<Write>): Pieces => {
  const groups = new Map<string, Group>()
  const answered = new Map<number, Wrote>()
  const created = new Set<string>()
  const strange = new Set<string>()
  let at = -1
  let group: Group | undefined
  for (const write of writes) {
    at += 1
    const key = keyParts(write.do === 'create' ? write.key : write.remoteId, table.key.length)
    if (key === null) {
      answered.set(at, write.do === 'create' ? { is: 'refused', failure: notAKey(table, write.key) } : { is: 'stale' })
      continue
    }
    const names = write.do === 'delete' ? [] : Object.keys(write.fields)
    // Most writes are like the one before.
    if (group?.shape.do !== write.do || !areSame(group.shape.names, names)) {
      const id = `${write.do} ${names.join('\n')}`
      group = groups.get(id)
      if (group === undefined) {
        for (const name of names) if (!table.columns.has(name)) strange.add(name)
        group = { shape: shapeOf(table, write.do, names), lines: [] }
        groups.set(id, group)
      }
    }
    const line = lineOf(table, group.shape, at, key, write)
    const remoteId = keyText(line.keyAfter)
    if (write.do === 'create' && created.has(remoteId)) answered.set(at, { is: 'exists', remoteId })
    else group.lines.push(line)
    if (write.do === 'create') created.add(remoteId)
  }
  const order: ReadonlyArray<Write['do']> = ['create', 'update', 'delete']
  const pieces = order.flatMap((sort) => [...groups.values()].filter(({ shape }) => shape.do === sort).map(({ shape, lines }) => ({ do: sort, columns: shape.columns, lines })))
  return { pieces: pieces.filter(({ lines }) => lines.length > 0), answered, drift: driftOf(table.title, [...table.columns.keys()], [...strange]) }
}

const shapeOf = (table: Table, sort: Write['do'], names: ReadonlyArray<string>): Shape => {
  // Key columns that the flow does not map are told by the key itself.
  const told = sort === 'create' ? table.key.map(({ name }) => name) : []
  const columns = [...new Set([...names, ...told])].flatMap((name) => table.columns.get(name) ?? []).filter(({ generated, always }) => !generated && !(always && sort === 'update'))
  const placeOf = (wanted: Column): number => columns.findIndex(({ name }) => name === wanted.name)
  const shownAt = table.shown.map(placeOf)
  const isWhole = shownAt.every((place) => place >= 0)
  return { do: sort, names, columns, shownAt, isWhole, keyAt: table.key.map(placeOf), isExact: isWhole && names.length === table.shown.length && table.shown.every(({ name }) => names.includes(name)) }
}

const areSame = (names: ReadonlyArray<string>, others: ReadonlyArray<string>): boolean => {
  if (names.length !== others.length) return false
  for (let n = 0; n < names.length; n++) if (names[n] !== others[n]) return false
  return true
}

const lineOf = (table: Table, shape: Shape, at: number, key: ReadonlyArray<string>, write: Write): Line => {
  if (write.do === 'delete') return { at, key, expect: write.expect, keyAfter: key, cells: [], stored: 'sent' }
  const cells: Array<string | null> = []
  let isText = true
  let isAsSent = shape.isWhole && !table.rewrites
  for (let n = 0; n < shape.columns.length; n++) {
    const column = shape.columns[n] as Column
    const value = write.fields[column.name]
    const cell = value === undefined ? (key[shape.keyAt.indexOf(n)] ?? null) : asText(value, column.list)
    cells.push(cell)
    if (value !== undefined && cell !== value) isText = false
    if (isAsSent && cell !== null && !isStoredAsSent(column, cell)) isAsSent = false
  }
  const keyAfter = shape.keyAt.map((place, n) => (place < 0 ? undefined : cells[place]) ?? key[n] ?? '')
  const shown = () => Object.fromEntries(table.shown.map(({ name }, n) => [name, cells[shape.shownAt[n] ?? -1] ?? null]))
  return { at, key, keyAfter, cells, expect: write.do === 'create' ? null : write.expect, stored: !isAsSent ? null : isText && shape.isExact ? 'sent' : shown() }
}

/** For a column of lists a list is an array literal; every other structure is JSON. */
const asText = (value: Json, list: boolean): string | null => {
  if (value === null || typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  return list && isList(value) ? `{${value.map(elementText).join(',')}}` : canonicalJson(value)
}
const elementText = (element: Json): string =>
  element === null ? 'NULL' : typeof element === 'object' && isList(element) ? (asText(element, true) ?? 'NULL') : `"${(asText(element, false) ?? '').replace(/["\\]/g, '\\$&')}"`

const notAKey = (table: Table, key: string): SyncFailure => badItem(`"${key.slice(0, 80)}" is no key of ${table.title}: it has the columns ${table.key.map(({ name }) => name).join(', ')}`)
