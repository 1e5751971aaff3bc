/** Knows how the text of one record becomes a row and a row becomes text, for JSON lines and for CSV. Knows no files. */
import { parse as parseCsv } from 'csv-parse/sync'
import { E } from '../../fp.ts'
import { isList, canonicalJson, type Json } from '../../domain/json.ts'
import type { Fields, RecordKind } from '../../domain/record.ts'
import { formatCsvRow } from '../../formats/csv.ts'
import { formatJsonLine, parseJsonLine } from '../../formats/jsonl.ts'
import { cutCsv, cutLine, type Cut } from './record-cut.ts'

export type RecordFormat = {
  readonly cut: Cut
  /** One answer per text. Left: why it is no record, without quoting it. */
  readonly parse: (texts: ReadonlyArray<string>) => ReadonlyArray<E.Either<string, Fields>>
  /** One line without its end. `previous`: the record's text until now, whose types are kept. */
  readonly format: (fields: Fields, previous: string | null) => E.Either<string, string>
}

/** SYNC.md S8. */
export const maxRecordBytes = 1024 * 1024

export const jsonlFormat = (kind: RecordKind): RecordFormat => ({
  cut: cutLine,
  parse: (texts) => texts.map((text) => {
    const parsed = parseJsonLine(text)
    return kind !== 'row' || E.isLeft(parsed) ? parsed : E.right(rowOf(parsed.right, text))
  }),
  format: (fields, previous) => {
    if (kind !== 'row' || previous === null) return E.right(formatJsonLine(fields))
    const before = parseJsonLine(previous)
    return E.right(formatJsonLine(E.isLeft(before) ? fields : shapedLike(before.right, fields)))
  },
})

/** Values of a row are text as PostgreSQL shows them, or null: numbers as they are written, JSON in canonical form. */
const rowOf = (parsed: { readonly [name: string]: Json }, line: string): Fields => {
  const row: Record<string, string | null> = {}
  for (const name in parsed) row[name] = textOf(parsed[name] ?? null, name, line)
  return row
}

const textOf = (value: Json, name: string, line: string): string | null => {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number') return numberText(value, name, line)
  return typeof value === 'boolean' ? String(value) : canonicalJson(value)
}

/** `12.50` stays `12.50`. The name cannot occur inside a string value: its quotes would be escaped there. */
const numberText = (value: number, name: string, line: string): string => {
  const plain = String(value)
  const at = line.indexOf(`"${name}":${plain}`)
  const next = at === -1 ? '' : line.charAt(at + name.length + plain.length + 3)
  if (at !== -1 && !/[\d.eE]/.test(next)) return plain
  const found = numberOf(name).exec(line)?.[1]
  return found !== undefined && Number(found) === value ? found : plain
}

const numberPatterns = new Map<string, RegExp>()
const numberOf = (name: string): RegExp => {
  const known = numberPatterns.get(name)
  if (known !== undefined) return known
  const made = new RegExp(`"${name.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')}"\\s*:\\s*(-?[\\d.eE+-]+)`)
  // Names come from the data: a file with a million names must not grow this for ever.
  if (numberPatterns.size > 1000) numberPatterns.clear()
  numberPatterns.set(name, made)
  return made
}

/** A number that stays a number is written as one; likewise booleans and nested JSON. */
const shapedLike = (before: { readonly [name: string]: Json }, fields: Fields): Fields => {
  const shaped: Record<string, Json> = {}
  for (const [name, value] of Object.entries(fields)) shaped[name] = typeof value === 'string' ? shapedText(before[name] ?? null, value) : value
  return shaped
}

const shapedText = (before: Json, text: string): Json => {
  if (before === null || typeof before === 'string') return text
  const parsed = E.tryCatch(() => JSON.parse(text) as Json, () => null)
  if (E.isLeft(parsed) || typeof parsed.right !== typeof before || isList(parsed.right) !== isList(before)) return text
  return (typeof parsed.right === 'object' ? canonicalJson(parsed.right) : String(parsed.right)) === text ? parsed.right : text
}

/** An empty value is null: CSV has one way to say nothing. */
export const csvFormat = (columns: ReadonlyArray<string>): RecordFormat => ({
  cut: cutCsv,
  parse: (texts) => (texts.some((text) => text.includes('"')) ? parseQuoted(columns, texts) : texts.map((text) => rowFrom(columns, text.split(',')))),
  format: (fields) => {
    const stranger = Object.keys(fields).find((name) => !columns.includes(name))
    if (stranger !== undefined) return E.left(`the header has no column "${stranger}"`)
    return E.right(formatCsvRow(columns.map((name) => fields[name] ?? null)))
  },
})

export const csvValues = (text: string): E.Either<string, ReadonlyArray<string>> =>
  E.tryCatch(() => parseCsv(text, { bom: true, relax_column_count: true })[0] ?? [], () => 'a quote that is out of place or never closed')

/** All at once costs a tenth of one by one; one by one finds the record at fault. */
const parseQuoted = (columns: ReadonlyArray<string>, texts: ReadonlyArray<string>): ReadonlyArray<E.Either<string, Fields>> => {
  const together = E.tryCatch(() => parseCsv(texts.join('\n'), { relax_column_count: true }), () => null)
  if (E.isRight(together) && together.right.length === texts.length) return together.right.map((values) => rowFrom(columns, values))
  return texts.map((text) => {
    const values = csvValues(text)
    return E.isLeft(values) ? values : rowFrom(columns, values.right)
  })
}

const rowFrom = (columns: ReadonlyArray<string>, values: ReadonlyArray<string>): E.Either<string, Fields> => {
  if (values.length !== columns.length) return E.left(`${values.length} columns instead of ${columns.length}`)
  const row: Record<string, string | null> = {}
  let i = 0
  for (const name of columns) {
    const value = values[i++]
    row[name] = value === undefined || value === '' ? null : value
  }
  return E.right(row)
}
