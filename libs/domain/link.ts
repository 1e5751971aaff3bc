/**
 * Knows the link: what is remembered of one item on both sides (SYNC.md §A.1.1). Side A is the source, B the destination.
 * Field names are short because a million of them are stored.
 */
import * as t from 'io-ts'

/** `linked` both known; `parked` set aside until it changes; `conflict` held for a person; `tomb` one side's filter lets go of it. */
export const LinkState = t.keyof({ linked: null, parked: null, conflict: null, tomb: null })

export const Link = t.intersection([
  t.type({ key: t.string, st: LinkState }),
  t.partial({
    idA: t.string,
    idB: t.string,
    /** Version as last seen; null = the side gave none, the item must be read again. */
    verA: t.union([t.string, t.null]),
    verB: t.union([t.string, t.null]),
    /** Canonical content hash per side; two, because a side may store a lossy projection. */
    hA: t.string,
    hB: t.string,
    /** Per-field digests of the agreed base; only kept where the strategy merges. */
    fh: t.record(t.string, t.union([t.string, t.readonlyArray(t.string)])),
    /** Last complete listing (generation) in which the item was seen. */
    genA: t.number,
    genB: t.number,
    /** Our last write per side, ms since the epoch: the eventual-consistency horizon. */
    wroteA: t.number,
    wroteB: t.number,
    tombAt: t.number,
    /** Parked or in conflict: why, and the hash (or version, when unreadable) each side showed then. */
    why: t.string,
    seenA: t.string,
    seenB: t.string,
    /** Ids that share this item's identity on one side: set aside until one of them is left (T14). */
    twinsA: t.readonlyArray(t.string),
    twinsB: t.readonlyArray(t.string),
    /** Our last updates of this item, newest last, at most eight: what oscillation is seen by (damping.ts). */
    writes: t.readonlyArray(t.string),
  }),
])
export type Link = t.TypeOf<typeof Link>
