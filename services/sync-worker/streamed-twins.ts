/**
 * Knows when several ids of a streamed source share one identity (T14): the id we know is asked for once more, and if it is
 * still there, nothing is written for either.
 */
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { SideClass } from './classify.ts'
import type { Entry } from './gather.ts'
import { fetchAll } from './look.ts'
import type { Stream } from './stream.ts'
import type { PageContent } from './streamed-read.ts'

export const withTwins = async (stream: Stream, entries: ReadonlyArray<Entry>, rivals: PageContent['rivals']): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const suspects = new Map<Entry, ReadonlyArray<string>>()
  for (const entry of entries) {
    const ids = suspectIds(entry, rivals.get(entry.key) ?? none)
    if (ids.length > 1) suspects.set(entry, ids)
  }
  if (suspects.size === 0) return E.right(entries)
  const fetched = await fetchAll(stream.context.a, [...new Set([...suspects.values()].flat())], stream.context.signal)
  if (E.isLeft(fetched)) return fetched
  const keys = new Map(fetched.right.items.map(({ remoteId, key }) => [remoteId, key.normalize('NFC')]))
  const unreadable = new Set(fetched.right.bad.map(({ remoteId }) => remoteId))
  return E.right(entries.map((entry) => {
    // One that was known to share it and cannot be read now shares it still.
    const twins = (suspects.get(entry) ?? []).filter((id) => unreadable.has(id) || keys.get(id) === entry.key.normalize('NFC')).sort()
    return twins.length < 2 ? entry : { ...entry, a: duplicate(entry.key, twins) }
  }))
}

const none: ReadonlyArray<string> = []

const suspectIds = ({ a, link }: Entry, rivals: ReadonlyArray<string>): ReadonlyArray<string> => {
  const shown = a.is === 'changed' ? a.item.remoteId : a.is === 'unchanged' ? a.item?.remoteId : undefined
  // Nearly every row: new, or where we know it.
  if (shown === undefined || (rivals.length === 0 && link?.twinsA === undefined && (link?.idA ?? shown) === shown)) return []
  return [...new Set([shown, ...rivals, ...(link?.idA === undefined ? [] : [link.idA]), ...(link?.twinsA ?? [])])]
}

const duplicate = (key: string, twins: ReadonlyArray<string>): SideClass => ({
  is: 'bad',
  remoteId: twins[0] ?? '',
  why: `DUPLICATE_IDENTITY: ${twins.length} items share the identity "${key}"`,
  twins,
})
