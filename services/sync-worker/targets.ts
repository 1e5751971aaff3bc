/**
 * Knows what each side of an item should show in the end: left as it is, written, or removed. Does not know how writing
 * happens (apply.ts), nor what is remembered of it then (link-of.ts).
 */
import type { ConflictDecision } from '#libs/contracts/conflict.ts'
import type { Link } from '#libs/domain/link.ts'
import { hashOf, type Fields, type Item } from '#libs/domain/record.ts'
import { rememberedOf, type SideClass, type SideName } from './classify.ts'
import type { Entry } from './gather.ts'
import type { Move } from './plan.ts'

export type Want =
  | { readonly is: 'as-is' }
  | { readonly is: 'put'; readonly fields: Fields }
  | { readonly is: 'remove' }

export type Target = { readonly a: Want; readonly b: Want; readonly because: 'overwritten' | 'deleted' | 'conflict-loser' }

/** An item with its target; `rule` and `provenance` when a conflict was decided. */
export type Task = {
  readonly entry: Entry
  readonly target: Target
  readonly rule?: string
  readonly provenance?: ReadonlyArray<{ readonly field: string; readonly rule: string; readonly winner: string }>
}

const asIs: Want = { is: 'as-is' }

export const contentOf = (side: SideClass): Item | undefined =>
  side.is === 'changed' || side.is === 'unchanged' ? side.item : undefined

/** undefined = nothing is to be written (adopt, refresh, nothing…); the copied side's content must have been read. */
export const targetOf = (entry: Entry, move: Move): Target | undefined => {
  if (move.do === 'delete') {
    return move.on === 'source' ? { a: { is: 'remove' }, b: asIs, because: 'deleted' } : { a: asIs, b: { is: 'remove' }, because: 'deleted' }
  }
  if (move.do !== 'create' && move.do !== 'update') return undefined
  const from = contentOf(move.on === 'source' ? entry.b : entry.a)
  if (from === undefined) return undefined
  const put: Want = { is: 'put', fields: from.fields }
  return move.on === 'source' ? { a: put, b: asIs, because: 'overwritten' } : { a: asIs, b: put, because: 'overwritten' }
}

export type Decided = { readonly oneWay: boolean; readonly deletesAllowed: boolean }

/** What a conflict's decision means for the two sides; undefined = held for a person. */
export const targetOfDecision = (entry: Entry, decision: ConflictDecision, { oneWay, deletesAllowed }: Decided): Target | undefined => {
  // No base, no deletes, whatever the strategy: a deletion that won then loses to what is there.
  const mayRemove = deletesAllowed && entry.link?.hA !== undefined && entry.link.hB !== undefined
  const take = mayRemove || decision.take === 'hold' || decision.take === 'merged' || contentOf(decision.take === 'source' ? entry.a : entry.b) !== undefined
    ? decision.take
    : decision.take === 'source' ? 'destination' : 'source'
  switch (take) {
    case 'hold':
      return undefined
    case 'source':
      return { a: asIs, b: likeOther(entry.a), because: 'conflict-loser' }
    case 'destination':
      // One-way: the destination's version stands, and nothing flows back.
      return { a: oneWay ? asIs : likeOther(entry.b), b: asIs, because: 'conflict-loser' }
    case 'merged': {
      const fields = (decision.fields ?? {}) as Fields
      return { a: oneWay ? asIs : unlessEqual(entry.a, fields), b: unlessEqual(entry.b, fields), because: 'conflict-loser' }
    }
  }
}

const likeOther = (winner: SideClass): Want => {
  const content = contentOf(winner)
  return content === undefined ? { is: 'remove' } : { is: 'put', fields: content.fields }
}

const unlessEqual = (side: SideClass, fields: Fields): Want => {
  const content = contentOf(side)
  return content !== undefined && hashOf(content.fields) === hashOf(fields) ? asIs : { is: 'put', fields }
}

/** The digest of what is to be put: known already where it is what one of the sides shows. */
export const hashOfWanted = ({ a, b }: Pick<Entry, 'a' | 'b'>, fields: Fields): string => {
  for (const side of [a, b]) if ((side.is === 'changed' || side.is === 'unchanged') && side.item?.fields === fields && side.hash !== undefined) return side.hash
  return hashOf(fields)
}

/** How one side stands after the writes. */
export type End = { readonly id: string; readonly version: string | null; readonly hash: string } | 'absent'

export const endAsIs = (entry: Entry, side: SideName): End => {
  const now = side === 'source' ? entry.a : entry.b
  const known = rememberedOf(entry.link, side)
  switch (now.is) {
    case 'changed':
      return { id: now.item.remoteId, version: now.item.version, hash: now.hash }
    case 'unchanged':
      return { id: now.remoteId, version: now.item?.version ?? known.version ?? null, hash: known.hash ?? '' }
    case 'bad':
      return known.id === undefined ? 'absent' : { id: known.id, version: known.version ?? null, hash: known.hash ?? '' }
    case 'never':
    case 'deleted':
      return 'absent'
  }
}

/** Drift that was reported once is not news again. */
export const driftMark = (entry: Entry, side: SideName): string => {
  const now = side === 'source' ? entry.a : entry.b
  return now.is === 'changed' ? now.hash : now.is
}

/** The link of an item whose copy on this side differs and is left alone: the base stays, the difference is marked. */
export const withDrift = (entry: Entry, link: Link, side: SideName): Link => {
  const { why: _why, seenA: _a, seenB: _b, twinsA: _ta, twinsB: _tb, ...base } = link
  const mark = driftMark(entry, side)
  // Ids are those of now: under an old one the item would look deleted later. Versions and hashes stay the base.
  return { ...whereItIs(entry, { ...base, st: 'linked' }), st: link.st === 'tomb' ? 'tomb' : 'linked', ...(side === 'source' ? { seenA: mark } : { seenB: mark }) }
}

const idNow = (side: SideClass): string | undefined => (side.is === 'changed' ? side.item.remoteId : side.is === 'unchanged' ? side.remoteId : undefined)

/** One-way, and the destination's version was chosen: it stands, and its difference stays a difference (SYNC.md §A.3). */
export const keptAtDestination = (entry: Entry): Link => {
  const a = endAsIs(entry, 'source')
  return withDrift(entry, {
    ...(entry.link ?? { key: entry.key, st: 'linked' }),
    ...(a === 'absent' ? {} : { idA: a.id, verA: a.version, hA: a.hash }),
  }, 'destination')
}

/** Whether the side that is left alone shows what it showed when that was noted, and both are where we know them. */
export const isMarked = (entry: Entry, side: SideName): boolean =>
  entry.link?.st !== 'parked' && entry.link?.st !== 'conflict' && isWhereKnown(entry) && (side === 'source' ? entry.link?.seenA : entry.link?.seenB) === driftMark(entry, side)

/** Both sides show it under the ids we know. */
export const isWhereKnown = ({ a, b, link }: Entry): boolean => (idNow(a) ?? link?.idA) === link?.idA && (idNow(b) ?? link?.idB) === link?.idB

/** The same link, with the ids of now. */
export const whereItIs = ({ a, b }: Entry, link: Link): Link => {
  const [idA, idB] = [idNow(a), idNow(b)]
  return { ...link, ...(idA === undefined ? {} : { idA }), ...(idB === undefined ? {} : { idB }) }
}
