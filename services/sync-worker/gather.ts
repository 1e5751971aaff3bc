/**
 * Knows how what two sides showed and what was remembered come together, one entry per identity (SYNC.md §A.2, T11–T15).
 * Does not know what follows: plan.ts does.
 */
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { isUnsettled } from './aside.ts'
import { classify, rememberedOf, type Observation, type SideClass, type SideName } from './classify.ts'

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

export type Entry = {
  readonly key: string
  readonly linkKey: string
  readonly link: Link | undefined
  readonly a: SideClass
  readonly b: SideClass
}

export type Links = ReadonlyMap<string, Link>

/** Two spellings of one text are one identity (T16), as they are in a ledger. */
const identity = (key: string): string => key.normalize('NFC')

/** `keyOf`: under which key the ledger keeps an identity's link. */
export const gather = (keyOf: (key: string) => string, links: Links, a: Sighting, b: Sighting): ReadonlyArray<Entry> => {
  const left = observe(links, 'source', a)
  const right = observe(links, 'destination', b)
  const entries: Array<Entry> = []
  const keys = new Set([...left.keys(), ...right.keys()])
  const byKey = new Map<string, Link>()
  for (const link of links.values()) {
    byKey.set(identity(link.key), link)
    // A listing says something about every link, mentioned or not.
    if (a.coverage === 'listing' || b.coverage === 'listing') keys.add(identity(link.key))
  }
  for (const key of keys) {
    const link = byKey.get(key)
    entries.push({
      key,
      linkKey: keyOf(key),
      link,
      a: classify(link, 'source', left.get(key) ?? unmentioned(link, 'source', a)),
      b: classify(link, 'destination', right.get(key) ?? unmentioned(link, 'destination', b)),
    })
  }
  return entries
}

/** An item that cannot be read has no identity yet: it is remembered under its place. */
export const unreadableKey = (side: SideName, remoteId: string): string => `!unreadable:${side}:${remoteId}`

const isPlace = (link: Link | undefined, side: SideName): boolean => link?.key === unreadableKey(side, rememberedOf(link, side).id ?? '')

const unmentioned = (link: Link | undefined, side: SideName, sighting: Sighting): Observation => {
  if (sighting.coverage === 'delta' || isUnsure(link, side, sighting.unsureAfter)) return { is: 'silent' }
  return rememberedOf(link, side).id === undefined ? { is: 'silent' } : { is: 'gone', by: 'listing' }
}

/** Within the consistency horizon a side may not show yet what we wrote there (T36). */
export const isUnsure = (link: Link | undefined, side: SideName, after: number): boolean =>
  ((side === 'source' ? link?.wroteA : link?.wroteB) ?? -Infinity) > after

const observe = (links: Links, side: SideName, sighting: Sighting): Map<string, Observation> => {
  const byId = new Map<string, Link>()
  const beside = new Map<string, ReadonlyArray<Link>>()
  const seen = new Map<string, Observation>()
  for (const link of links.values()) {
    const id = rememberedOf(link, side).id
    if (id === undefined) continue
    const rival = byId.get(id)
    const loser = rival === undefined ? undefined : isUnsettled(link) && !isPlace(rival, side) ? link : rival
    if (loser !== link) byId.set(id, link)
    if (loser !== undefined) beside.set(id, [...(beside.get(id) ?? []), loser])
    const holder = loser === link ? rival : link
    // What is linked under this id took it over; the one that was set aside under it is not there any more.
    if (loser !== undefined && holder !== undefined && !isUnsettled(holder)) seen.set(identity(loser.key), { is: 'gone', by: 'tombstone' })
  }
  for (const { remoteId } of sighting.gone) {
    // Only the id we know speaks for the item: a twin, or an id of long ago, that goes away takes nothing with it.
    const link = byId.get(remoteId)
    for (const it of link === undefined ? [] : [link, ...(beside.get(remoteId) ?? [])]) seen.set(identity(it.key), { is: 'gone', by: 'tombstone' })
  }
  for (const remoteId of sighting.same) {
    const link = byId.get(remoteId)
    if (link !== undefined) seen.set(identity(link.key), { is: 'same', remoteId })
  }
  for (const [key, observation] of observeItems(links, side, byId, sighting)) seen.set(key, observation)
  for (const { remoteId, why } of sighting.bad) {
    const link = byId.get(remoteId)
    seen.set(link === undefined ? unreadableKey(side, remoteId) : identity(link.key), { is: 'bad', remoteId, why })
  }
  return seen
}

const observeItems = (links: Links, side: SideName, byId: ReadonlyMap<string, Link>, { items, same, gone, unsureAfter }: Sighting): Map<string, Observation> => {
  const holders = new Map<string, Map<string, Item>>()
  const unread = new Map<string, string>()
  for (const remoteId of same) {
    const link = byId.get(remoteId)
    if (link !== undefined) unread.set(identity(link.key), remoteId)
  }
  // Written by us a moment ago and not shown yet: what shows its identity under another id is a second one, for all we know.
  const isOver = new Set(gone.map(({ remoteId }) => remoteId))
  for (const link of links.values()) {
    const { id } = rememberedOf(link, side)
    if (id !== undefined && !isOver.has(id) && isUnsure(link, side, unsureAfter)) unread.set(identity(link.key), id)
  }
  for (const item of items) {
    // The same id listed twice is one item (T15); two ids with one key are a duplicate identity (T14).
    const sameKey = holders.get(identity(item.key)) ?? new Map<string, Item>()
    sameKey.set(item.remoteId, item)
    holders.set(identity(item.key), sameKey)
  }
  const seen = new Map<string, Observation>()
  for (const [key, sameKey] of holders) {
    const [first, ...others] = [...sameKey.values()]
    if (first === undefined) continue
    const known = unread.get(key)
    const ids = [first, ...others].map(({ remoteId }) => remoteId)
    const twins = known === undefined || ids.includes(known) ? ids : [...ids, known]
    seen.set(key, twins.length === 1 ? { is: 'item', item: first } : duplicate(key, twins))
  }
  const places = new Set([...links.values()].flatMap((link) => (link.st === 'parked' && isPlace(link, side) ? [link.key] : [])))
  for (const item of items) {
    const link = byId.get(item.remoteId)
    const now = seen.get(identity(item.key))
    // What could not be read there can be read now, under whatever identity.
    const place = unreadableKey(side, item.remoteId)
    if (places.has(place)) seen.set(place, { is: 'gone', by: 'tombstone' })
    if (link === undefined || identity(link.key) === identity(item.key) || holders.has(identity(link.key))) continue
    // Its identity was changed in place: what we knew under the old one is gone (T13), unless the new one is not its alone.
    seen.set(identity(link.key), now?.is === 'bad' ? now : { is: 'gone', by: 'tombstone' })
  }
  return seen
}

const duplicate = (key: string, remoteIds: ReadonlyArray<string>): Observation => {
  const twins = [...remoteIds].sort()
  return { is: 'bad', remoteId: twins[0] ?? '', why: `DUPLICATE_IDENTITY: ${twins.length} items share the identity "${key}"`, twins }
}
