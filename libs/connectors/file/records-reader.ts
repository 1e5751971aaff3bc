/**
 * Knows how a records file is read as a side: complete or on from a cursor, page by page, each page with the place where
 * a later run can go on. A file that only grew gives a delta; one that was rewritten has lost the cursor.
 * A record that comes twice stands for its later state; the earlier one may be shown before it.
 * Text at the very end without a line feed is somebody writing: it waits, unless this is a listing (where leaving it out
 * would look like a deletion) or the file stood still since the last look; and it must look whole.
 */
import { E, TE } from '../../fp.ts'
import { badItem, needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { Change, ChangePage, ReadAsk, Reader } from '../connector.ts'
import { cancelled, failureOfError } from './faults.ts'
import { openingOf, openRecords, type Opening, type OpenRecords, type RecordsOptions } from './open-records.ts'
import type { Place } from './place.ts'
import { compare, decodeCursor, encodeCursor, fileOf, printer, type RecordsCursor } from './record-cursor.ts'
import { keyOf, recordItem, recordVersion } from './record-item.ts'
import { EndlessLine, rawRecords, Shrunk, type RawPage, type RawRecord } from './record-stream.ts'

export const recordsReader = (place: Place, options: RecordsOptions, ask: ReadAsk): TE.TaskEither<SyncFailure, Reader> => async () => {
  if (ask.signal.aborted) return E.left(cancelled)
  const opened = await openRecords(place)()
  if (E.isLeft(opened)) return opened
  const begun = await begin(place, options, ask, opened.right)
  if (E.isLeft(begun)) await opened.right.close()
  return begun
}

const begin = async (place: Place, options: RecordsOptions, ask: ReadAsk, records: OpenRecords): Promise<E.Either<SyncFailure, Reader>> => {
  try {
    const cursor = ask.cursor === null ? null : decodeCursor(ask.cursor)
    const found = cursor === null ? null : await compare(records.file, records.stats, cursor, options.own)
    if (ask.cursor !== null && (cursor === null || found === 'lost')) {
      return E.left({ is: 'cursor-lost', message: `${place.told} was rewritten since it was read`, mend: 'nothing to do: it is read again from its beginning' })
    }
    const isListing = cursor === null || ask.resuming
    if (ask.cursor !== null && cursor !== null && found === 'same' && cursor.offset === cursor.size && !isListing) return E.right(nothing(ask.cursor, records))
    const opening = await openingOf(place, options, records)
    if (E.isLeft(opening)) return opening
    return E.right(pages(place, options, ask, records, opening.right, { cursor, isListing, isStill: found === 'same' }))
  } catch (error) {
    return E.left(failureOfError(error, place.told))
  }
}

const nothing = (cursor: string, records: OpenRecords): Reader =>
  ({ coverage: 'delta', next: TE.right({ changes: [], resume: cursor, last: true }), close: records.close })

type From = { readonly cursor: RecordsCursor | null; readonly isListing: boolean; readonly isStill: boolean }

const pages = (place: Place, options: RecordsOptions, ask: ReadAsk, records: OpenRecords, { header, format }: Opening, from: From): Reader => {
  const start = from.cursor === null || from.cursor.offset < header.offset ? header : from.cursor
  const isWhole = (text: string): boolean => format.parse([text]).every(E.isRight)
  const next = rawRecords({
    file: records.file, offset: start.offset, line: start.line, size: records.size, cut: format.cut,
    ...(from.isListing || from.isStill ? { isWhole } : {}),
  })
  const print = printer(records.file, header.offset)
  const resumeAfter = async (page: RawPage): Promise<string> => {
    // A look that found nothing leaves the cursor as it was: a quiet run stores nothing.
    if (ask.cursor !== null && from.isStill && page.offset === from.cursor?.offset) return ask.cursor
    const { offset, line, guessed } = page
    return encodeCursor({ v: 1, file: fileOf(records.stats), offset, line, size: records.size, time: String(records.stats.mtimeNs), header: header.offset, print: await print(offset), guessed })
  }
  return {
    coverage: from.isListing ? 'listing' : 'delta',
    next: async (): Promise<E.Either<SyncFailure, ChangePage>> => {
      if (ask.signal.aborted) return E.left(cancelled)
      try {
        const page = await next(ask.limit)
        return E.right({ changes: changesOf(place, options, format.parse, page.records), resume: await resumeAfter(page), last: page.last })
      } catch (error) {
        if (error instanceof EndlessLine) return E.left(needsPerson(`${place.told}: ${error.message}`, 'is it really a file of records, one a line?'))
        return E.left(error instanceof Shrunk ? unavailable(`${place.told} ${error.message}`) : failureOfError(error, place.told))
      }
    },
    close: records.close,
  }
}

/** One change per record; of several with one key the last, in the place of the first. */
const changesOf = (place: Place, options: RecordsOptions, parse: Opening['format']['parse'], raw: ReadonlyArray<RawRecord>): ReadonlyArray<Change> => {
  const changes = new Map<string, Change>()
  const parsed = parse(raw.map(({ text }) => text))
  for (const [n, record] of raw.entries()) {
    const fields = record.fault === undefined ? (parsed[n] ?? E.left('no record')) : E.left(record.fault)
    const key = E.isLeft(fields) ? fields : keyOf(fields.right, options.key)
    if (E.isRight(fields) && E.isRight(key)) changes.set(`=${key.right}`, { is: 'item', item: recordItem(key.right, record.text, fields.right) })
    else if (E.isLeft(key)) changes.set(`!${record.line}`, badRecord(place, record, key.left))
  }
  return [...changes.values()]
}

const badRecord = (place: Place, { text, line, offset }: RawRecord, report: string): Change => {
  const remoteId = `line ${line}`
  return { is: 'bad', remoteId, version: recordVersion(text), failure: badItem(`${place.name}, line ${line} (byte ${offset}): ${report}`, { item: remoteId }) }
}
