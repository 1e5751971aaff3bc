/** Knows how a records file is opened and kept open while it is read, and what its format is made of. */
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { E, TE } from '../../fp.ts'
import { needsPerson, type SyncFailure } from '../../domain/failure.ts'
import type { RecordKind } from '../../domain/record.ts'
import { failureOf } from './faults.ts'
import { readInJail, type JailFault } from './jail.ts'
import type { RecordsFormat } from './options.ts'
import type { OwnWrites } from './own-writes.ts'
import type { Place } from './place.ts'
import { csvFormat, jsonlFormat, type RecordFormat } from './record-format.ts'
import { noHeader, readHeader, type Header } from './record-header.ts'

export type RecordsOptions = {
  readonly format: RecordsFormat
  readonly key: ReadonlyArray<string>
  readonly readOnly: boolean
  readonly kind: RecordKind
  /** Fields the flow maps; null = all. An update leaves other fields as they are. */
  readonly mapped: ReadonlyArray<string> | null
  readonly own: OwnWrites
}

export type OpenRecords = {
  readonly file: FileHandle
  readonly stats: BigIntStats
  readonly size: number
  readonly close: () => Promise<void>
}

/** The jail closes a file when its reader returns; here it returns once `close` is called. */
export const openRecords = (place: Place): TE.TaskEither<SyncFailure, OpenRecords> => async () => {
  const opened = Promise.withResolvers<OpenRecords>()
  const finished = Promise.withResolvers<undefined>()
  const reading: Promise<E.Either<JailFault, undefined>> = readInJail(place.jail, place.name, (file, stats) => {
    opened.resolve({
      file,
      stats,
      size: Number(stats.size),
      close: async () => {
        finished.resolve(undefined)
        await reading
      },
    })
    return finished.promise
  })()
  const refused = reading.then((result) => (E.isLeft(result) ? result.left : null))
  const first = await Promise.race([opened.promise, refused])
  if (first === null || 'is' in first) return E.left(failureOf(first ?? { is: 'io', name: place.name, message: 'was closed' }, place.told))
  return E.right(first)
}

/** Opens, runs, and closes whatever happens. */
export const withRecords = async <A>(place: Place, use: (records: OpenRecords) => Promise<E.Either<SyncFailure, A>>): Promise<E.Either<SyncFailure, A>> => {
  const opened = await openRecords(place)()
  if (E.isLeft(opened)) return opened
  try {
    return await use(opened.right)
  } finally {
    await opened.right.close()
  }
}

export type Opening = { readonly header: Header; readonly format: RecordFormat }

/** What must be known of a file before its records can be. */
export const openingOf = async (place: Place, options: RecordsOptions, { file, size }: OpenRecords): Promise<E.Either<SyncFailure, Opening>> => {
  if (options.format === 'jsonl') return E.right({ header: noHeader, format: jsonlFormat(options.kind) })
  const header = await readHeader(file, size)
  if (E.isLeft(header)) return E.left(needsPerson(`${place.told}: ${header.left}`, 'correct its first line: it names the columns'))
  const strange = header.right.columns.length === 0 ? undefined : options.key.find((name) => !header.right.columns.includes(name))
  if (strange !== undefined) return E.left(needsPerson(`${place.told} has no column "${strange}" to identify records by`, 'set `key` to the columns that identify a record'))
  return E.right({ header: header.right, format: csvFormat(header.right.columns) })
}
