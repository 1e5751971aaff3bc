/**
 * Knows what one side's observation of an item means, given what was remembered of it (SYNC.md §A.2).
 * Does not know what to do about it: plan.ts does.
 */
import type { Link } from '#libs/domain/link.ts'
import { hashOf, type Item } from '#libs/domain/record.ts'

export type SideName = 'source' | 'destination'

export const otherOf = (side: SideName): SideName => (side === 'source' ? 'destination' : 'source')

/** `twins`: all ids that share the identity, when that is what is wrong. */
export type Bad = { readonly is: 'bad'; readonly remoteId: string; readonly why: string; readonly twins?: ReadonlyArray<string> }

/** What a side showed of one item in this run. */
export type Observation =
  /** `hash`: of its content, where that was worked out already. */
  | { readonly is: 'item'; readonly item: Item; readonly hash?: string | undefined }
  /** Listed with the version we know: content not fetched. */
  | { readonly is: 'same'; readonly remoteId: string }
  | { readonly is: 'gone'; readonly by: 'tombstone' | 'listing' }
  /** Present, but unreadable: never a deletion. */
  | Bad
  /** Not mentioned by a delta. */
  | { readonly is: 'silent' }

export type SideClass =
  /** ∅: no id remembered and nothing seen. */
  | { readonly is: 'never' }
  /** U. `item` when the content was read anyway; `refresh` when only the version moved; `hash` as remembered. */
  | { readonly is: 'unchanged'; readonly remoteId: string; readonly refresh: boolean; readonly hash: string | undefined; readonly item?: Item }
  /** C. */
  | { readonly is: 'changed'; readonly item: Item; readonly hash: string }
  /** D. */
  | { readonly is: 'deleted'; readonly by: 'tombstone' | 'listing' }
  | Bad

type Remembered = { readonly id: string | undefined; readonly version: string | null | undefined; readonly hash: string | undefined }

export const rememberedOf = (link: Link | undefined, side: SideName): Remembered =>
  side === 'source'
    ? { id: link?.idA, version: link?.verA, hash: link?.hA }
    : { id: link?.idB, version: link?.verB, hash: link?.hB }

export const classify = (link: Link | undefined, side: SideName, seen: Observation): SideClass => {
  const known = rememberedOf(link, side)
  switch (seen.is) {
    case 'bad':
      return seen
    case 'gone':
      // A tombstone for something we never knew is not news.
      return known.id === undefined ? { is: 'never' } : { is: 'deleted', by: seen.by }
    case 'silent':
      return known.id === undefined ? { is: 'never' } : { is: 'unchanged', remoteId: known.id, refresh: false, hash: known.hash }
    case 'same':
      return { is: 'unchanged', remoteId: seen.remoteId, refresh: false, hash: known.hash }
    case 'item':
      return classifyItem(known, seen.item, seen.hash ?? hashOf(seen.item.fields))
  }
}

/** The version says "look", the hash says "changed" (SYNC.md §0 rule 4). */
const classifyItem = (known: Remembered, item: Item, hash: string): SideClass => {
  if (known.id === undefined || known.hash !== hash) return { is: 'changed', item, hash }
  const refresh = known.version !== item.version || known.id !== item.remoteId
  return { is: 'unchanged', remoteId: item.remoteId, refresh, hash, item }
}
