/** Knows how one file of a folder becomes an item, or the reason why it does not. */
import { stat } from 'node:fs/promises'
import { E, TE } from '../../fp.ts'
import { badItem, type SyncFailure } from '../../domain/failure.ts'
import type { Item } from '../../domain/record.ts'
import { limits, textOfBytes } from '../../formats/content-lines.ts'
import type { Change } from '../connector.ts'
import { versionFrom } from './atomic-file.ts'
import { cancelled, failureOf, failureOfError } from './faults.ts'
import type { ItemFormat, ItemText } from './item-format.ts'
import { readInJail } from './jail.ts'
import type { Place } from './place.ts'

export type ItemFile = { readonly is: 'file'; readonly name: string; readonly version: string; readonly modifiedAt: string; readonly text: string; readonly parsed: ItemText }
export type BadFile = Extract<Change, { is: 'bad' }>
/** `broken`: the disk's fault, not the file's. */
export type Opened = ItemFile | BadFile | { readonly is: 'missing' } | { readonly is: 'broken'; readonly failure: SyncFailure }

export const openItem = async (place: Place, format: ItemFormat, name: string): Promise<Opened> => {
  const bad = (version: string | null, report: string): BadFile => ({ is: 'bad', remoteId: name, version, failure: badItem(`${name}: ${report}`, { item: name }) })
  const read = await readInJail(place.jail, name, async (file, stats) => {
    // The version from before the content: if it changes while it is read, the next look sees another one.
    const seen = { version: versionFrom(stats), modifiedAt: new Date(Number(stats.mtimeMs)).toISOString() }
    return { ...seen, bytes: stats.size > limits.textBytes ? null : await file.readFile() }
  })()
  if (E.isLeft(read)) {
    if (read.left.is === 'missing') return { is: 'missing' }
    const failure = failureOf(read.left, name)
    return failure.is === 'unavailable' ? { is: 'broken', failure } : { ...bad(null, ''), failure: badItem(failure.message, { item: name }) }
  }
  const { version, modifiedAt, bytes } = read.right
  if (bytes === null) return bad(version, `larger than ${limits.textBytes / 1024 / 1024} MiB`)
  const text = textOfBytes(bytes)
  if (E.isLeft(text)) return bad(version, text.left)
  const parsed = format.parse(text.right)
  if (E.isLeft(parsed)) return bad(version, parsed.left)
  return { is: 'file', name, version, modifiedAt, text: text.right, parsed: parsed.right }
}

/** The time of the last edit is the file system's: one clock for all files of a machine. */
export const itemOf = ({ name, version, modifiedAt, parsed }: ItemFile): Item =>
  ({ remoteId: name, key: parsed.key, version, fields: parsed.fields, modifiedAt })

/** Contents of these files, in this order; missing ones are left out, but only while their folder is there. */
export const openItems = (place: Place, format: ItemFormat, names: ReadonlyArray<string>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<ItemFile | BadFile>> => async () => {
  const found: Array<ItemFile | BadFile> = []
  let missing = 0
  for (let from = 0; from < names.length; from += readsAtOnce) {
    if (signal.aborted) return E.left(cancelled)
    for (const opened of await Promise.all(names.slice(from, from + readsAtOnce).map((name) => openItem(place, format, name)))) {
      if (opened.is === 'broken') return E.left(opened.failure)
      if (opened.is === 'missing') missing += 1
      else found.push(opened)
    }
  }
  return missing === 0 ? E.right(found) : whileFolderIsThere(place, found)
}

/** Without its folder every file is missing, and a whole collection would look deleted. */
const whileFolderIsThere = async <A>(place: Place, answer: A): Promise<E.Either<SyncFailure, A>> => {
  try {
    await stat(place.jail.root)
    return E.right(answer)
  } catch (error) {
    return E.left(failureOfError(error, place.told))
  }
}

/** Open files at a time. */
const readsAtOnce = 16
