/**
 * Knows which file of a folder holds which key. It is a hint: whoever uses it reads the file and looks again.
 * A folder's own time tells when names came or went; a UID changed inside a file while a run goes on is seen by the next.
 */
import { stat } from 'node:fs/promises'
import { E, TE } from '../../fp.ts'
import type { SyncFailure } from '../../domain/failure.ts'
import { failureOfError } from './faults.ts'
import { openItems, type ItemFile } from './folder-items.ts'
import { namesIn } from './folder-listing.ts'
import type { ItemFormat } from './item-format.ts'
import type { Place } from './place.ts'

export type FolderIndex = {
  /** Learns the names that came since the last time and forgets those that went. */
  readonly refresh: (signal: AbortSignal) => TE.TaskEither<SyncFailure, void>
  readonly namesOf: (key: string) => ReadonlyArray<string>
  readonly learn: (name: string, key: string) => void
  readonly forget: (name: string) => void
}

export const folderIndex = (place: Place, format: ItemFormat): FolderIndex => {
  /** null: a file that cannot be read has no key. */
  const keys = new Map<string, string | null>()
  const names = new Map<string, Set<string>>()
  let asOf: bigint | null = null

  const forget = (name: string) => {
    const key = keys.get(name)
    keys.delete(name)
    if (typeof key === 'string') names.get(key)?.delete(name)
  }
  const learn = (name: string, key: string) => {
    forget(name)
    keys.set(name, key)
    names.set(key, (names.get(key) ?? new Set()).add(name))
  }

  const refresh = (signal: AbortSignal): TE.TaskEither<SyncFailure, void> => async () => {
    try {
      // Taken before the names: what comes in between moves it and is looked for the next time.
      const { mtimeNs } = await stat(place.jail.root, { bigint: true })
      if (mtimeNs === asOf) return E.right(undefined)
      const present = new Set(await namesIn(place, format.extension))
      for (const name of [...keys.keys()]) if (!present.has(name)) forget(name)
      const read = await openItems(place, format, [...present].filter((name) => !keys.has(name)), signal)()
      if (E.isLeft(read)) return read
      for (const opened of read.right) if (opened.is === 'file') learn(opened.name, opened.parsed.key)
        else keys.set(opened.remoteId, null)
      asOf = mtimeNs
      return E.right(undefined)
    } catch (error) {
      return E.left(failureOfError(error, place.told))
    }
  }

  return { refresh, learn, forget, namesOf: (key) => [...(names.get(key) ?? [])].sort() }
}

/** Files that hold one of these keys as far as the index knows, read now. */
export const openHolders = (place: Place, format: ItemFormat, index: FolderIndex, wanted: ReadonlyArray<string>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<ItemFile>> => async () => {
  const asked = new Set(wanted)
  const read = await openItems(place, format, [...asked].flatMap((key) => index.namesOf(key)), signal)()
  if (E.isLeft(read)) return read
  const found: Array<ItemFile> = []
  for (const opened of read.right) {
    if (opened.is !== 'file') continue
    index.learn(opened.name, opened.parsed.key)
    if (asked.has(opened.parsed.key)) found.push(opened)
  }
  return E.right(found)
}
