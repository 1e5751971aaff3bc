/** Knows what stands in a folder of items: names and versions, and one digest over all of it and the folder's own change. Reads no contents. */
import { createHash } from 'node:crypto'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { E, TE } from '../../fp.ts'
import type { SyncFailure } from '../../domain/failure.ts'
import { isTemporary, versionFrom } from './atomic-file.ts'
import { cancelled, failureOfError } from './faults.ts'
import type { Place } from './place.ts'

export type Entry = {
  readonly name: string
  /** Null when it cannot be told. */
  readonly version: string | null
  /** Why it is no item although it is called like one. */
  readonly fault?: string
}

/** Names in code unit order. Dotfiles, unfinished files, folders and other extensions are no items. */
export const namesIn = async (place: Place, extension: string): Promise<ReadonlyArray<string>> =>
  (await readdir(place.jail.root)).filter((name) => isItemName(name, extension)).sort()

export type Listing = { readonly entries: ReadonlyArray<Entry>; readonly digest: string }

export const listFolder = (place: Place, extension: string, signal: AbortSignal): TE.TaskEither<SyncFailure, Listing> => async () => {
  try {
    // Taken before the names: what comes in between moves it and is looked for the next time.
    const { ctimeNs } = await stat(place.jail.root, { bigint: true })
    const names = await namesIn(place, extension)
    const entries: Array<Entry> = []
    for (let from = 0; from < names.length; from += looksAtOnce) {
      if (signal.aborted) return E.left(cancelled)
      for (const entry of await Promise.all(names.slice(from, from + looksAtOnce).map((name) => look(place, name)))) if (entry !== null) entries.push(entry)
    }
    return E.right({ entries, digest: digestOf(entries, ctimeNs) })
  } catch (error) {
    return E.left(failureOfError(error, place.told))
  }
}

/**
 * Equal digests: nothing was added, changed, renamed or removed. The folder's own change tells what came and went in between:
 * a file that we made after the last look and somebody removed leaves all names and versions as they were then.
 */
const digestOf = (entries: ReadonlyArray<Entry>, changed: bigint): string => {
  const sum = createHash('sha256').update(`${changed}\n`)
  for (const { name, version } of entries) sum.update(`${name}\0${version}\n`)
  return `folder2:${sum.digest('base64url')}`
}

/** Keeps the thread pool busy without queueing a whole folder at once. */
const looksAtOnce = 64

const look = async (place: Place, name: string): Promise<Entry | null> => {
  // Node shows bytes that are no UTF-8 as this character, and the name then leads nowhere.
  if (name.includes('\ufffd')) return { name, version: null, fault: 'the file name is not UTF-8' }
  const stats = await lstat(join(place.jail.root, name), { bigint: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
  if (stats === null || stats.isDirectory()) return null
  return stats.isFile() ? { name, version: versionFrom(stats) } : { name, version: null, fault: stats.isSymbolicLink() ? 'is a link, not a file' : 'is no regular file' }
}

const isItemName = (name: string, extension: string): boolean =>
  name.toLowerCase().endsWith(extension) && !name.startsWith('.') && !isTemporary(name)
