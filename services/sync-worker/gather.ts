/**
 * Knows how what two sides showed and what was remembered come together, one entry per identity (SYNC.md §A.2, T11–T15).
 * Does not know what follows: plan.ts does.
 */
import type { Link } from '#libs/domain/link.ts'
import { linkKey, type Item } from '#libs/domain/record.ts'
import { classify, rememberedOf, type Observation, type SideClass, type SideName } from './classify.ts'

/** Everything one side showed in this run. */
export type Sighting = {
  readonly coverage: 'listing' | 'delta'
  readonly items: ReadonlyArray<Item>
  /** Remote ids listed with the version we know. */
  readonly same: ReadonlySet<string>
  readonly gone: ReadonlyArray<{ readonly remoteId: string; readonly key?: string }>
  readonly bad: ReadonlyArray<{ readonly remoteId: string; readonly version: string | null; readonly why: string }>
}

export type Entry = {
  readonly key: string
  readonly linkKey: string
  readonly link: Link | undefined
  readonly a: SideClass
  readonly b: SideClass
}

export type Links = ReadonlyMap<string, Link>

export const gather = (conn: string, flow: string, links: Links, a: Sighting, b: Sighting): ReadonlyArray<Entry> => {
  const left = observe(links, 'source', a)
  const right = observe(links, 'destination', b)
  const entries: Array<Entry> = []
  const keys = new Set([...left.keys(), ...right.keys()])
  const byKey = new Map<string, Link>()
  for (const link of links.values()) {
    byKey.set(link.key, link)
    // A listing says something about every link, mentioned or not.
    if (a.coverage === 'listing' || b.coverage === 'listing') keys.add(link.key)
  }
  for (const key of keys) {
    const link = byKey.get(key)
    entries.push({
      key,
      linkKey: linkKey(conn, flow, key),
      link,
      a: classify(link, 'source', left.get(key) ?? unmentioned(link, 'source', a)),
      b: classify(link, 'destination', right.get(key) ?? unmentioned(link, 'destination', b)),
    })
  }
  return entries
}

/** An item that cannot be read has no identity yet: it is remembered under its place. */
export const unreadableKey = (side: SideName, remoteId: string): string => `!unreadable:${side}:${remoteId}`

const unmentioned = (link: Link | undefined, side: SideName, sighting: Sighting): Observation => {
  if (sighting.coverage === 'delta') return { is: 'silent' }
  return rememberedOf(link, side).id === undefined ? { is: 'silent' } : { is: 'gone', by: 'listing' }
}

const observe = (links: Links, side: SideName, sighting: Sighting): Map<string, Observation> => {
  const byId = new Map<string, Link>()
  for (const link of links.values()) {
    const id = rememberedOf(link, side).id
    if (id !== undefined && link.st !== 'tomb') byId.set(id, link)
  }
  const seen = new Map<string, Observation>()
  for (const { remoteId, key } of sighting.gone) {
    const known = byId.get(remoteId)?.key ?? key
    if (known !== undefined) seen.set(known, { is: 'gone', by: 'tombstone' })
  }
  for (const remoteId of sighting.same) {
    const link = byId.get(remoteId)
    if (link !== undefined) seen.set(link.key, { is: 'same', remoteId })
  }
  for (const [key, observation] of observeItems(byId, sighting)) seen.set(key, observation)
  for (const { remoteId, why } of sighting.bad) {
    seen.set(byId.get(remoteId)?.key ?? unreadableKey(side, remoteId), { is: 'bad', remoteId, why })
  }
  return seen
}

const observeItems = (byId: ReadonlyMap<string, Link>, { items, same }: Sighting): Map<string, Observation> => {
  const holders = new Map<string, Map<string, Item>>()
  const unread = new Map<string, string>()
  for (const remoteId of same) {
    const key = byId.get(remoteId)?.key
    if (key !== undefined) unread.set(key, remoteId)
  }
  for (const item of items) {
    // The same id listed twice is one item (T15); two ids with one key are a duplicate identity (T14).
    const sameKey = holders.get(item.key) ?? new Map<string, Item>()
    sameKey.set(item.remoteId, item)
    holders.set(item.key, sameKey)
  }
  const seen = new Map<string, Observation>()
  for (const item of items) {
    const link = byId.get(item.remoteId)
    // Its identity was changed in place: what we knew under the old one is gone (T13).
    if (link !== undefined && link.key !== item.key && !holders.has(link.key)) seen.set(link.key, { is: 'gone', by: 'tombstone' })
  }
  for (const [key, sameKey] of holders) {
    const [first, ...others] = [...sameKey.values()]
    if (first === undefined) continue
    const known = unread.get(key)
    const ids = [first, ...others].map(({ remoteId }) => remoteId)
    const twins = known === undefined || ids.includes(known) ? ids : [...ids, known]
    seen.set(key, twins.length === 1 ? { is: 'item', item: first } : duplicate(key, twins))
  }
  return seen
}

const duplicate = (key: string, remoteIds: ReadonlyArray<string>): Observation => ({
  is: 'bad',
  remoteId: [...remoteIds].sort().join(', '),
  why: `DUPLICATE_IDENTITY: ${remoteIds.length} items share the identity "${key}"`,
})
