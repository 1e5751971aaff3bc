/**
 * Knows where a copy came from and where it may go on to (SYNC.md §B.3): each item spreads from the place where it was born
 * along a tree, and what follows later goes only along the tree's edges. So it never comes to one place by two ways, and
 * nothing circles, whatever the flows form. Ours, not the remote's: no mark in the item is believed. Pure.
 */
import { hash } from 'node:crypto'
import * as t from 'io-ts'

export const Provenance = t.type({
  /** Where it was born, and its identity, which it keeps on all its ways. */
  root: t.type({ place: t.string, key: t.string }),
  /** The places it came through, the first one first; the last one is where this copy was made from. */
  hops: t.readonlyArray(t.string),
  /** Whose copy it is. */
  conn: t.string,
  flow: t.string,
  /** ms since the epoch. */
  at: t.number,
})
export type Provenance = t.TypeOf<typeof Provenance>

export type Way = { readonly conn: string; readonly flow: string }

/** One of the two sides between which an item is to be carried. `place`: the side's identity, account and collection. */
export type End = { readonly place: string; readonly has: boolean; readonly entry: Provenance | undefined }

export type Ruling =
  /** `record`: what is to be noted of the copy at this end, before it is written. */
  | { readonly is: 'open'; readonly record?: { readonly at: 'from' | 'to'; readonly entry: Provenance } }
  /** It is there already, by another way: whatever happens to it comes by that one. */
  | { readonly is: 'closed' }
  | { readonly is: 'too-far'; readonly why: string }

/** SYNC.md §B.3. */
export const mostHops = 3

/** `key`: identity of the item; `now` in ms. The item goes from `from` to `to`, by `way`. */
export const ruling = (way: Way, key: string, from: End, to: End, now: number): Ruling => {
  if (isBy(way, from.entry) || isBy(way, to.entry)) return { is: 'open' }
  if (isSameTree(from, to)) return { is: 'closed' }
  // Both came here from elsewhere, and not from one place: two items that met. Nothing tells which is whose copy.
  if (from.entry !== undefined && to.entry !== undefined) return { is: 'open' }
  const [parent, at] = to.entry === undefined ? [from, 'to' as const] : [to, 'from' as const]
  const hops = [...(parent.entry?.hops ?? []), parent.place]
  if (hops.length > mostHops) {
    const next = at === 'to' ? to.place : from.place
    return { is: 'too-far', why: `TOO_MANY_HOPS: ${[...hops, next].join(' → ')} would be ${hops.length} hops, and ${mostHops} are allowed` }
  }
  const root = parent.entry?.root ?? { place: parent.place, key }
  return { is: 'open', record: { at, entry: { root, hops, conn: way.conn, flow: way.flow, at: now } } }
}

const isBy = (way: Way, entry: Provenance | undefined): boolean => entry?.conn === way.conn && entry.flow === way.flow

const isSameTree = (from: End, to: End): boolean => {
  if (passed(from, to.place) || passed(to, from.place)) return true
  // What has neither an item nor a note of one is no root
  return (to.has || to.entry !== undefined) && rootOf(from) === rootOf(to)
}

const passed = ({ entry }: End, place: string): boolean => entry?.hops.includes(place) ?? false
const rootOf = ({ entry, place }: End): string => entry?.root.place ?? place

/** `by`: the first of the flows that bring them. */
export const leftText = (count: number, by: Way | undefined): string =>
  `${count} ${count === 1 ? 'item was left to the other way that brings it' : 'items were left to the other way that brings them'} there${by === undefined ? '' : ` (connection ${by.conn}, flow ${by.flow})`}: one of them is enough`

/** Key of KV `sync_provenance`: a place's entries stand together, and no name of anybody's shows. */
export const provenanceKey = (place: string, key: string): string => `${digest(place, 11)}.${digest(key.normalize('NFC'), 22)}`

const digest = (text: string, characters: number): string => hash('sha256', text, 'base64url').slice(0, characters)
