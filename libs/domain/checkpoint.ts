/** Knows the checkpoint: how far one flow was read, and who may move it on (SYNC.md §A.1.1). Cursors are opaque text. */
import * as t from 'io-ts'

export const Phase = t.keyof({ first: null, delta: null, resync: null })
export type Phase = t.TypeOf<typeof Phase>

export const Checkpoint = t.intersection([
  t.type({
    /** Lease revision at acquisition of the run that wrote this. */
    fence: t.number,
    run: t.string,
    phase: Phase,
    /** Number of the complete listing under way or last finished. */
    gen: t.number,
    cursorA: t.union([t.string, t.null]),
    cursorB: t.union([t.string, t.null]),
    /** Digest of what shapes the flow (sides, direction, fields, kind): a change means resync. */
    cfgHash: t.string,
    /** Number of ledger pages; any whole number: the ledger grows page by page (linear hashing). 0 = no page yet. */
    pages: t.number,
    links: t.number,
    /** Links in state `parked` or `conflict`: what waits for a person or for an edit. */
    parked: t.number,
  }),
  t.partial({
    /** Plan that a guard stopped last: only this one can be approved, and only once. */
    heldPlan: t.string,
    approvedPlan: t.string,
    /** That plan is one of a full run, which tries again what was set aside: until it is settled, every run makes a full one. */
    heldFull: t.boolean,
    /** Identities of the two sides as this was written: another account behind the same configuration halts the flow. */
    sideA: t.string,
    sideB: t.string,
    /** Who answered there, where the sides tell: another database at the same address is another account. */
    principalA: t.string,
    principalB: t.string,
    /** The listing under way began with a changed configuration: what it does not show left the scope, and is not deleted. */
    withoutDeletes: t.boolean,
  }),
])
export type Checkpoint = t.TypeOf<typeof Checkpoint>
