/** Knows what a batch of writes makes of a table: its answers and the new table. Pure; the caller replaces the file. */
import { E } from '../../fp.ts'
import { badItem } from '../../domain/failure.ts'
import { hashOf, type Fields } from '../../domain/record.ts'
import { formatCsvRow } from '../../formats/csv.ts'
import type { Write, Wrote } from '../connector.ts'
import type { RecordsOptions } from './open-records.ts'
import { csvFormat } from './record-format.ts'
import { keyFields, keyOf, recordVersion } from './record-item.ts'
import { placesOf, textAt, type RecordTable, type Span } from './record-table.ts'

export type Written = { readonly wrote: ReadonlyArray<Wrote>; readonly changed: boolean; readonly table: Omit<RecordTable, 'version'> }

/** What will stand in place of a span; null = nothing. */
type Line = { readonly text: string; readonly key: string }
type Draft = {
  readonly table: RecordTable
  readonly lines: Array<Span | Line | null>
  /** Places of the keys this batch touched. */
  readonly places: Map<string, ReadonlyArray<number>>
}

export const writeRecords = (before: RecordTable, options: RecordsOptions, writes: ReadonlyArray<Write>): Written => {
  const table = options.format === 'csv' && before.header.columns.length === 0 ? withHeader(before, options, writes) : before
  const draft: Draft = { table, lines: [...table.spans], places: new Map() }
  const wrote = writes.map((write) => writeRecord(draft, options, write))
  const changed = wrote.some((answer) => answer.is === 'done')
  return { wrote, changed, table: changed ? laidOut(draft) : table }
}

const writeRecord = (draft: Draft, options: RecordsOptions, write: Write): Wrote => {
  const places = draft.places.get(write.do === 'create' ? write.key : write.remoteId) ?? draft.table.byKey.get(write.do === 'create' ? write.key : write.remoteId) ?? []
  const place = places.at(-1)
  if (write.do === 'create') {
    if (place !== undefined) return { is: 'exists', remoteId: write.key }
    return put(draft, options, write, null, draft.lines.length)
  }
  const there = place === undefined ? null : lineText(draft, place)
  if (place === undefined || there === null || (write.do === 'update' && write.key !== write.remoteId)) return { is: 'stale' }
  if (write.expect !== null && recordVersion(there) !== write.expect) return { is: 'stale' }
  if (write.do === 'update') return put(draft, options, write, there, place)
  // All of them: an earlier line would come to life again.
  for (const each of places) draft.lines[each] = null
  draft.places.set(write.remoteId, [])
  return { is: 'done', remoteId: write.remoteId, version: null }
}

const put = (draft: Draft, options: RecordsOptions, write: Extract<Write, { readonly fields: Fields }>, previous: string | null, place: number): Wrote => {
  const refused = (report: string): Wrote => ({ is: 'refused', failure: badItem(`cannot be written as a record: ${report}`, { item: write.key }) })
  const { format } = draft.table
  const [before] = previous === null ? [] : format.parse([previous])
  const rest = options.mapped !== null && before !== undefined && E.isRight(before) ? before.right : {}
  const text = format.format({ ...keyFields(write.key, options.key), ...rest, ...write.fields }, previous)
  if (E.isLeft(text)) return refused(text.left)
  const [stored = E.left('no record')] = format.parse([text.right])
  if (E.isLeft(stored)) return refused(stored.left)
  const key = keyOf(stored.right, options.key)
  if (E.isLeft(key)) return refused(key.left)
  if (key.right !== write.key) return refused(`its fields ${options.key.join(', ')} say another identity`)
  draft.lines[place] = { text: text.right, key: write.key }
  const places = draft.places.get(write.key) ?? draft.table.byKey.get(write.key) ?? []
  draft.places.set(write.key, previous === null ? [...places, place] : places)
  return { is: 'done', remoteId: write.key, version: recordVersion(text.right), ...(hashOf(stored.right) === hashOf(write.fields) ? {} : { fields: stored.right }) }
}

const lineText = (draft: Draft, place: number): string | null => {
  const line = draft.lines[place] ?? null
  return line === null ? null : 'text' in line ? line.text : textAt(draft.table, line)
}

/** An empty CSV file gets the columns of the first record written to it: the key's, then the others by name. */
const withHeader = (table: RecordTable, options: RecordsOptions, writes: ReadonlyArray<Write>): RecordTable => {
  const first = writes.find((write) => write.do === 'create')
  if (first === undefined) return table
  const others = Object.keys(first.fields).filter((name) => !options.key.includes(name)).sort()
  const columns = [...options.key, ...others]
  const bytes = Buffer.from(`${formatCsvRow(columns)}\n`)
  return { ...table, bytes, header: { columns, offset: bytes.length, line: 2 }, format: csvFormat(columns), spans: [], byKey: new Map() }
}

/** The bytes of the new file: untouched runs are copied as they are. */
const laidOut = ({ table, lines }: Draft): Written['table'] => {
  const head = table.bytes.subarray(0, table.header.offset)
  const parts: Array<Buffer> = head.length === 0 || head.at(-1) === 10 ? [head] : [head, lineFeed]
  const spans: Array<Span> = []
  let at = parts.length === 1 ? head.length : head.length + 1
  const header = { ...table.header, offset: at }
  for (const line of lines) {
    if (line === null) continue
    const bytes = 'text' in line ? Buffer.from(line.text) : table.bytes.subarray(line.from, line.to)
    parts.push(bytes, lineFeed)
    spans.push({ from: at, to: at + bytes.length, key: line.key })
    at += bytes.length + 1
  }
  return { ...table, header, bytes: Buffer.concat(parts, at), spans, byKey: placesOf(spans) }
}

const lineFeed = Buffer.from('\n')
