/** Knows what one side showed of itself in one run, and what that can and cannot tell. Pure. */
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { rememberedOf, type SideName } from './classify.ts'

/** Everything one side showed in this run. */
export type Sighting = {
  readonly coverage: 'listing' | 'delta'
  readonly items: ReadonlyArray<Item>
  /** Remote ids listed with the version we know. */
  readonly same: ReadonlySet<string>
  readonly gone: ReadonlyArray<{ readonly remoteId: string }>
  readonly bad: ReadonlyArray<{ readonly remoteId: string; readonly version: string | null; readonly why: string }>
  /** What we wrote there after this moment (ms since the epoch) may not show yet, so its absence means nothing. */
  readonly unsureAfter: number
}

export type Links = ReadonlyMap<string, Link>

/** Two spellings of one text are one identity (T16), as they are in a ledger. */
export const identity = (key: string): string => key.normalize('NFC')

/** An item that cannot be read has no identity yet: it is remembered under its place. */
export const unreadableKey = (side: SideName, remoteId: string): string => `!unreadable:${side}:${remoteId}`

export const isPlace = (link: Link | undefined, side: SideName): boolean => link?.key === unreadableKey(side, rememberedOf(link, side).id ?? '')

/** Within the consistency horizon a side may not show yet what we wrote there (T36). */
export const isUnsure = (link: Link | undefined, side: SideName, after: number): boolean =>
  ((side === 'source' ? link?.wroteA : link?.wroteB) ?? -Infinity) > after
