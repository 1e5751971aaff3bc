/**
 * Knows a records file that is small enough to be held whole, because as a destination it is rewritten whole.
 * Lines that are no records, and bytes that are no text, stay as they are.
 */
import { E } from '../../fp.ts'
import { needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import { versionFrom } from './atomic-file.ts'
import { openingOf, type OpenRecords, type RecordsOptions } from './open-records.ts'
import type { Place } from './place.ts'
import { maxRecordBytes, type RecordFormat } from './record-format.ts'
import { keyOf } from './record-item.ts'
import type { Header } from './record-header.ts'

/** A destination beyond these belongs into a database. */
export const maxTableBytes = 64 * 1024 * 1024
export const maxTableRecords = 200_000

/** A record's text lies in the bytes, without its line feed. */
export type Span = { readonly from: number; readonly to: number; readonly key: string | null }

export type RecordTable = {
  /** Of the file the bytes were read from, or written to. */
  readonly version: string
  readonly bytes: Buffer
  readonly header: Header
  readonly format: RecordFormat
  readonly spans: ReadonlyArray<Span>
  /** Places in `spans`, ascending: the last one stands. */
  readonly byKey: ReadonlyMap<string, ReadonlyArray<number>>
}

/** null: the file is larger than a table may be. */
export const loadTable = async (place: Place, options: RecordsOptions, records: OpenRecords): Promise<E.Either<SyncFailure, RecordTable | null>> => {
  if (records.size > maxTableBytes) return E.right(null)
  const opening = await openingOf(place, options, records)
  if (E.isLeft(opening)) return opening
  const { header, format } = opening.right
  const bytes = (await records.file.readFile()).subarray(0, records.size)
  if (bytes.length < records.size) return E.left(unavailable(`${place.told} became shorter while it was read`))
  const bare = spansIn(bytes, header.offset, format)
  if (bare.length > maxTableRecords) return E.right(null)
  const spans = keyed(bytes, bare, format, options.key)
  return E.right({ version: versionFrom(records.stats), bytes, header, format, spans, byKey: placesOf(spans) })
}

export const tooLarge = (place: Place): SyncFailure =>
  needsPerson(`${place.told} is larger than ${maxTableBytes / 1024 / 1024} MiB or ${maxTableRecords} records: it would be rewritten whole with every write`, 'write to a database (provider postgres) instead, or split the file')

export const textAt = ({ bytes }: Pick<RecordTable, 'bytes'>, { from, to }: Pick<Span, 'from' | 'to'>): string =>
  bytes.toString('utf8', from, to > from && bytes[to - 1] === 13 ? to - 1 : to)

export const placesOf = (spans: ReadonlyArray<Span>): ReadonlyMap<string, ReadonlyArray<number>> => {
  const places = new Map<string, Array<number>>()
  for (const [n, { key }] of spans.entries()) {
    if (key === null) continue
    const known = places.get(key)
    if (known === undefined) places.set(key, [n])
    else known.push(n)
  }
  return places
}

const spansIn = (bytes: Buffer, start: number, { cut }: RecordFormat): ReadonlyArray<Span> => {
  const spans: Array<Span> = []
  for (let from = start; from < bytes.length;) {
    const whole = cut(bytes, from, bytes.length)
    // The last line may have no line feed; a quote nobody closes costs its own line only.
    const feed = whole === -1 ? bytes.indexOf(10, from) : whole
    const to = feed === -1 ? bytes.length : feed
    if (to > from) spans.push({ from, to, key: null })
    from = to + 1
  }
  return spans
}

const keyed = (bytes: Buffer, spans: ReadonlyArray<Span>, format: RecordFormat, names: ReadonlyArray<string>): ReadonlyArray<Span> => {
  const known: Array<Span> = []
  for (let from = 0; from < spans.length; from += parsedAtOnce) {
    const some = spans.slice(from, from + parsedAtOnce)
    const parsed = format.parse(some.map((span) => textAt({ bytes }, span)))
    for (const [n, span] of some.entries()) {
      const fields = parsed[n]
      const key = fields === undefined || E.isLeft(fields) || span.to - span.from > maxRecordBytes ? null : keyOf(fields.right, names)
      known.push(key === null || E.isLeft(key) ? span : { ...span, key: key.right })
    }
  }
  return known
}

const parsedAtOnce = 500
