/**
 * Knows a .jsonl or .csv file as a side: read as a stream whatever its size, written by replacing it whole.
 * The record's key is its remote id; the digest of its text is its version.
 */
import { E, pipe, TE } from '../../fp.ts'
import { needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { Item } from '../../domain/record.ts'
import type { Side, Write, Wrote } from '../connector.ts'
import { replaceIf, versionFrom } from './atomic-file.ts'
import { cancelled, failureOf, failureOfError } from './faults.ts'
import { writeInJail } from './jail.ts'
import { withRecords, type RecordsOptions } from './open-records.ts'
import type { Place } from './place.ts'
import { recordItem } from './record-item.ts'
import { loadTable, maxTableBytes, maxTableRecords, textAt, tooLarge, type RecordTable } from './record-table.ts'
import { recordsReader } from './records-reader.ts'
import { writeRecords } from './records-writing.ts'

export const recordsSide = (place: Place, options: RecordsOptions): Side => {
  /** Held while the file stays as it is. */
  let table: RecordTable | null = null

  const load = (): Promise<E.Either<SyncFailure, RecordTable | null>> => withRecords(place, async (records) => {
    try {
      if (table !== null && table.version === versionFrom(records.stats)) return E.right(table)
      const loaded = await loadTable(place, options, records)
      table = E.isRight(loaded) ? loaded.right : null
      return loaded
    } catch (error) {
      return E.left(failureOfError(error, place.told))
    }
  })

  const find = (keys: ReadonlyArray<string>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<Item>> => async () => {
    if (signal.aborted) return E.left(cancelled)
    if (keys.length === 0) return E.right([])
    const loaded = await load()
    if (E.isLeft(loaded)) return loaded
    const held = loaded.right
    return held === null ? scan(place, options, new Set(keys), signal) : E.right([...new Set(keys)].flatMap((key) => itemIn(held, key)))
  }

  const write = async (writes: ReadonlyArray<Write>): Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>> => {
    for (let round = 0; round < rounds; round++) {
      const loaded = await load()
      if (E.isLeft(loaded)) return loaded
      const held = loaded.right
      if (held === null) return E.left(tooLarge(place))
      const written = writeRecords(held, options, writes)
      if (!written.changed) return E.right(written.wrote)
      if (written.table.bytes.length > maxTableBytes || written.table.spans.length > maxTableRecords) return E.left(tooLarge(place))
      const replaced = await writeInJail(place.jail, place.name, (path) => replaceIf(path, held.version, written.table.bytes))()
      if (E.isRight(replaced)) {
        options.own.wrote(held.version, replaced.right)
        table = { ...written.table, version: replaced.right }
        return E.right(written.wrote)
      }
      if (replaced.left.is !== 'changed') return E.left(failureOf(replaced.left, place.told))
    }
    return E.left(unavailable(`${place.told} is being changed by somebody else all the time`))
  }

  return {
    capabilities: {
      canWrite: !options.readOnly,
      delta: true,
      // A delta is growth only; a record that was taken out means a rewritten file, hence a listing without it.
      tombstones: true,
      find: true,
      precondition: 'version',
      resumableListing: true,
      batchSize: 1000,
    },
    identity: `file:${place.real}`,
    read: (ask) => recordsReader(place, options, ask),
    fetch: (remoteIds, signal) => pipe(find(remoteIds, signal), TE.map((items) => items.map((item) => ({ is: 'item', item })))),
    find,
    write: (writes, signal) => async () => {
      if (options.readOnly) return E.left(needsPerson(`${place.told} is set to be read only`, 'remove `readOnly`, or make the flow one-way'))
      return signal.aborted ? E.left(cancelled) : write(writes)
    },
    close: async () => {
      table = null
    },
  }
}

/** Looks at a file that somebody else keeps changing. */
const rounds = 3

const itemIn = (table: RecordTable, key: string): ReadonlyArray<Item> => {
  const place = table.byKey.get(key)?.at(-1)
  const span = place === undefined ? undefined : table.spans[place]
  if (span === undefined) return []
  const text = textAt(table, span)
  const [fields] = table.format.parse([text])
  return fields === undefined || E.isLeft(fields) ? [] : [recordItem(key, text, fields.right)]
}

/** Through a file that is too large to be held; the later of two records stands. */
const scan = async (place: Place, options: RecordsOptions, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<E.Either<SyncFailure, ReadonlyArray<Item>>> => {
  const opened = await recordsReader(place, options, { cursor: null, limit: 1000, resuming: false, signal })()
  if (E.isLeft(opened)) return opened
  const found = new Map<string, Item>()
  try {
    for (;;) {
      const page = await opened.right.next()
      if (E.isLeft(page)) return page
      for (const change of page.right.changes) if (change.is === 'item' && wanted.has(change.item.key)) found.set(change.item.key, change.item)
      if (page.right.last) return E.right([...found.values()])
    }
  } finally {
    await opened.right.close()
  }
}
