/** Knows how rows become items and keys become texts and back. Pure. */
import { E } from '../../fp.ts'
import type { Fields, Item } from '../../domain/record.ts'
import type { Change } from '../connector.ts'
import type { Row } from './copy-text.ts'
import { firstKey } from './page-sql.ts'
import type { Table } from './table.ts'

/** One column: its text. Several: their texts as a JSON list, the same as the provider `file` makes of them. */
export const keyText = (parts: ReadonlyArray<string>): string => (parts.length === 1 ? (parts[0] ?? '') : JSON.stringify(parts))

/** null = not a key of so many columns. */
export const keyParts = (key: string, columns: number): ReadonlyArray<string> | null => {
  if (columns === 1) return [key]
  const parsed = E.tryCatch(() => JSON.parse(key) as unknown, () => null)
  if (E.isLeft(parsed) || !Array.isArray(parsed.right) || parsed.right.length !== columns) return null
  const parts: Array<string> = []
  for (const part of parsed.right as ReadonlyArray<unknown>) if (typeof part === 'string') parts.push(part)
  return parts.length === columns ? parts : null
}

export const keyOfRow = (table: Table, row: Row): ReadonlyArray<string> => row.slice(firstKey, firstKey + table.key.length).map((part) => part ?? '')

/** `key`: the text it was asked by, when it was. */
export const itemOf = (table: Table, row: Row, key?: string): Item => {
  const remoteId = table.key.length === 1 ? (row[firstKey] ?? '') : keyText(keyOfRow(table, row))
  const fields: Record<string, string | null> = {}
  let at = firstKey + table.key.length
  for (const { name } of table.shown) fields[name] = row[at++] ?? null
  const version = row[0] ?? null
  const edited = table.cursor?.kind === 'timestamptz' ? rfc3339(row[3] ?? null) : null
  return edited === null
    ? { remoteId, key: key ?? remoteId, version, fields: fields satisfies Fields }
    : { remoteId, key: key ?? remoteId, version, fields: fields satisfies Fields, modifiedAt: edited }
}

/** Deleted ones are gone; of those that came without content only the version is told. */
export const changeOf = (table: Table, row: Row): Change => {
  if (row[1] === 't') {
    const remoteId = keyText(keyOfRow(table, row))
    return { is: 'gone', remoteId, key: remoteId }
  }
  if (row[2] === 'f') return { is: 'seen', remoteId: keyText(keyOfRow(table, row)), version: row[0] ?? null }
  return { is: 'item', item: itemOf(table, row) }
}

/** `2026-01-01 00:00:00.123456+00` as RFC 3339; null for infinity and years that RFC 3339 has no room for. */
const rfc3339 = (text: string | null): string | null =>
  text !== null && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(text) ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : null
