/**
 * Knows what one side's sighting says of every identity: seen, unchanged, gone, unreadable, or shown by several at once
 * (SYNC.md §A.2, T11–T15). Pure.
 */
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { isUnsettled } from './aside.ts'
import { rememberedOf, type Observation, type SideName } from './classify.ts'
import { identity, isPlace, isUnsure, unreadableKey, type Links, type Sighting } from './sighting.ts'

export const observe = (links: Links, side: SideName, sighting: Sighting): Map<string, Observation> => {
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
  const shared = sharedWithUnreadable(links, side, sighting)
  for (const { remoteId, why } of sighting.bad) {
    const link = byId.get(remoteId)
    const twins = shared.get(remoteId)
    if (twins !== undefined) seen.set(identity(twins.key), twins.ids.length > 1 ? duplicate(twins.key, twins.ids) : { is: 'bad', remoteId, why })
    else seen.set(link === undefined ? unreadableKey(side, remoteId) : identity(link.key), { is: 'bad', remoteId, why })
  }
  return seen
}

type Shared = { readonly key: string; readonly ids: ReadonlyArray<string> }

/** By unreadable id: one that was known to share an identity, and cannot be read now, shares it still (T14). */
const sharedWithUnreadable = (links: Links, side: SideName, { items, bad }: Sighting): ReadonlyMap<string, Shared> => {
  const shared = new Map<string, Shared>()
  if (bad.length === 0) return shared
  const unreadable = new Set(bad.map(({ remoteId }) => remoteId))
  const keys = new Map(items.map(({ remoteId, key }) => [remoteId, identity(key)]))
  for (const link of links.values()) {
    const twins = (side === 'source' ? link.twinsA : link.twinsB) ?? []
    if (!twins.some((id) => unreadable.has(id))) continue
    const ids = twins.filter((id) => unreadable.has(id) || keys.get(id) === identity(link.key))
    for (const id of ids) if (unreadable.has(id)) shared.set(id, { key: link.key, ids })
  }
  return shared
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
