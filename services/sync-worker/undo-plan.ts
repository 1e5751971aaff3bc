/**
 * Knows how what one run did to an item is taken back: from what was archived then, what stands there now and what is linked.
 * Whatever anybody touched since stays as it is. Pure.
 */
import type { Link } from '#libs/domain/link.ts'
import { hashOf, type Fields, type Item } from '#libs/domain/record.ts'
import { otherOf, rememberedOf, type SideName } from './classify.ts'
import type { ArchivedByRun } from './ports.ts'

/** What the run did to one item on one side. */
export type Trace = {
  readonly side: SideName
  readonly key: string
  readonly remoteId: string
  /** What stood there before; null = nothing. */
  readonly was: Fields | null
  /** Hash of what the run left there; null = nothing; undefined = not noted (archived by an older version). */
  readonly became: string | null | undefined
}

/** Of one item both sides, where the run wrote to both. */
export type Undoing = { readonly key: string; readonly traces: ReadonlyArray<Trace> }

/** By flow: what the run did to it, in the order it was done. */
export const tracesOf = (archived: ReadonlyArray<ArchivedByRun>, flow: string): ReadonlyArray<Undoing> => {
  const byKey = new Map<string, Map<SideName, Trace>>()
  const put = (trace: Trace): void => {
    const sides = byKey.get(trace.key) ?? new Map<SideName, Trace>()
    byKey.set(trace.key, sides)
    const before = sides.get(trace.side)
    // Written twice by the run: only where nobody wrote in between does the first of the two tell what stood there before.
    const follows = before?.became === (trace.was === null ? null : hashOf(trace.was))
    sides.set(trace.side, before !== undefined && follows ? { ...trace, was: before.was } : trace)
  }
  for (const one of archived) {
    if (one.is === 'version') {
      const { version } = one
      if (version.flow === flow) put({ side: version.side, key: version.key, remoteId: version.remoteId, was: version.fields as Fields, became: version.became })
    } else if (one.created.flow === flow) {
      for (const { key, id, hash } of one.created.items) put({ side: one.created.side, key, remoteId: id, was: null, became: hash })
    }
  }
  return [...byKey].map(([key, sides]) => ({ key, traces: [...sides.values()] }))
}

export type Taking =
  | { readonly do: 'put back'; readonly now: Item; readonly fields: Fields }
  | { readonly do: 'bring back'; readonly fields: Fields }
  | { readonly do: 'take out'; readonly now: Item }
  /** It is as it was before the run already. `relink`: the link does not say so yet (an undo that was broken off). */
  | { readonly do: 'nothing'; readonly now: Item | undefined; readonly relink: boolean }
  | { readonly do: 'leave alone'; readonly why: string }

/** `now`: what the side shows of it; undefined = nothing. */
export const takeBack = ({ side, was, became }: Trace, now: Item | undefined, link: Link | undefined, direction: 'one-way' | 'two-way'): Taking => {
  const hash = now === undefined ? null : hashOf(now.fields)
  if (hash === (was === null ? null : hashOf(was))) return { do: 'nothing', now, relink: became !== undefined && hash !== became && (rememberedOf(link, side).hash ?? null) === became }
  if (link !== undefined && link.st !== 'linked' && link.st !== 'tomb') return { do: 'leave alone', why: 'it is set aside now' }
  if (became === undefined) return { do: 'leave alone', why: 'what the run left there was not noted' }
  // Of a one-way flow only what it brought back stands without a link.
  if (became !== null && link === undefined && (was !== null || direction === 'two-way')) return { do: 'leave alone', why: 'it is not linked any more' }
  if (hash !== became && !isOnlyRewritten(link, side, hash, became)) {
    return { do: 'leave alone', why: hash === null ? 'it was deleted since' : became === null ? 'there is one again' : 'it was edited since' }
  }
  if (was === null) return now === undefined ? { do: 'leave alone', why: 'it was deleted since' } : { do: 'take out', now }
  return now === undefined ? { do: 'bring back', fields: was } : { do: 'put back', now, fields: was }
}

/** A server may store what it is sent a little differently: then the link knows both, as long as nothing else was linked since. */
const isOnlyRewritten = (link: Link | undefined, side: SideName, hash: string | null, became: string | null): boolean =>
  hash !== null && became !== null && rememberedOf(link, side).hash === hash && rememberedOf(link, otherOf(side)).hash === became

/** How a side stands after the undo. */
export type Stand = { readonly id: string; readonly version: string | null; readonly hash: string } | null

/**
 * The link that makes the next run see nothing new: both ends as they stand now, though they differ. What stands on one side
 * only is let go of until it is edited; undefined = nothing is to be remembered.
 */
export const linkAfterUndo = (key: string, link: Link | undefined, side: SideName, stand: Stand, direction: 'one-way' | 'two-way'): Link | undefined => {
  const other = otherOf(side)
  const { id, version, hash } = rememberedOf(link, other)
  const rest: Stand = id === undefined || hash === undefined ? null : { id, version: version ?? null, hash }
  if (stand === null && rest === null) return undefined
  // One-way, a row of the destination without a link is its own, and nobody's business.
  if (rest === null && direction === 'one-way' && side === 'destination') return undefined
  const [a, b] = side === 'source' ? [stand, rest] : [rest, stand]
  return {
    key,
    ...(a === null || b === null ? { st: 'tomb', why: 'undone' } : { st: 'linked' }),
    ...(a === null ? {} : { idA: a.id, verA: a.version, hA: a.hash }),
    ...(b === null ? {} : { idB: b.id, verB: b.version, hB: b.hash }),
    ...(link?.fh === undefined || a === null || b === null ? {} : { fh: link.fh }),
    ...(link?.genA === undefined ? {} : { genA: link.genA }),
    ...(link?.genB === undefined ? {} : { genB: link.genB }),
  }
}
