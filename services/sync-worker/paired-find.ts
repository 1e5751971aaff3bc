/**
 * Knows how the counterparts of one page are looked up at a side by their identity, in every spelling of it (T16), and that
 * what is not found so is asked for once more by its id. Does not know what follows from it.
 */
import type { Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { rememberedOf, type SideName } from './classify.ts'
import { identity, type Sighting } from './sighting.ts'
import { fetchAll } from './look.ts'

export type Counterparts = Pick<Sighting, 'items' | 'bad'>

/** Keys asked for in one call. */
const atOnce = 5_000

/** Nearly every key has one spelling. */
export const hasSpellings = (key: string): boolean => !ascii.test(key) && key.normalize('NFC') !== key.normalize('NFD')
const ascii = /^[\x20-\x7e]*$/

const spellings = (key: string): ReadonlyArray<string> => (hasSpellings(key) ? [...new Set([key, key.normalize('NFC'), key.normalize('NFD')])] : [key])

/** What the side shows under these identities; an item that is found by another text than its own is another item. */
export const findThere = async (side: Side, keys: ReadonlyArray<string>, signal: AbortSignal): Promise<E.Either<SyncFailure, ReadonlyArray<Item>>> => {
  const asked = [...new Set(keys.flatMap(spellings))]
  const items: Array<Item> = []
  const doubted: Array<Item> = []
  for (let from = 0; from < asked.length; from += atOnce) {
    const found = await side.find(asked.slice(from, from + atOnce), signal)()
    if (E.isLeft(found)) return found
    for (const item of found.right) (item.key === item.remoteId ? items : doubted).push(item)
  }
  if (doubted.length === 0) return E.right(items)
  // Asked for as "01" a number answers as 1: under its own name it may be somebody else's counterpart.
  const own = await fetchAll(side, [...new Set(doubted.map(({ remoteId }) => remoteId))], signal)
  if (E.isLeft(own)) return own
  const names = new Map(own.right.items.map(({ remoteId, key }) => [remoteId, identity(key)]))
  return E.right([...items, ...doubted.filter(({ remoteId, key }) => names.get(remoteId) === identity(key))])
}

/** The counterparts of these identities; `links`: what is remembered of them. */
export const counterpartsOf = async (side: Side, name: SideName, keys: ReadonlyArray<string>, links: Iterable<Link>, signal: AbortSignal): Promise<E.Either<SyncFailure, Counterparts>> => {
  if (keys.length === 0) return E.right({ items: [], bad: [] })
  const found = await findThere(side, keys, signal)
  if (E.isLeft(found)) return found
  const shown = new Set(found.right.map(({ key }) => identity(key)))
  const asked = new Set(keys.map(identity))
  const missing = new Map<string, string>()
  for (const link of links) {
    const { id } = rememberedOf(link, name)
    if (id !== undefined && asked.has(identity(link.key)) && !shown.has(identity(link.key))) missing.set(id, identity(link.key))
  }
  if (missing.size === 0) return E.right({ items: found.right, bad: [] })
  // There, but unreadable, is not gone; under another identity it is another item.
  const fetched = await fetchAll(side, [...missing.keys()], signal)
  if (E.isLeft(fetched)) return fetched
  return E.right({
    items: [...found.right, ...fetched.right.items.filter(({ remoteId, key }) => missing.get(remoteId) === identity(key))],
    bad: fetched.right.bad.map(({ remoteId, version, failure }) => ({ remoteId, version, why: failure.message })),
  })
}
