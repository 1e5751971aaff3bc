/**
 * Knows every way a sync can fail and what it means for the run (SYNC.md §D.1); the connectors' tables map their
 * vendor's signals onto these. Does not know deliveries or acks: services/sync-worker/verdict.ts does.
 */
import * as t from 'io-ts'

const facts = t.intersection([
  t.type({ message: t.string }),
  t.partial({
    /** What the person should do next. */
    mend: t.string,
    /** The vendor's own code: HTTP status, SQLSTATE, errno. */
    code: t.string,
    flow: t.string,
    side: t.keyof({ source: null, destination: null }),
    item: t.string,
    /**
     * Where the kind alone tells its breaker the wrong thing (SYNC.md §D.3, column CB): true = the provider is well, only this
     * call met a lock or a limit; false = the provider is in trouble itself, although a person must act.
     */
    providerWell: t.boolean,
  }),
])

const failure = <Tag extends string>(is: Tag) => t.intersection([t.type({ is: t.literal(is) }), facts])

/** The other side is down, slow or broken for now: retried by redelivery with growing delay; counts an attempt. */
const Unavailable = failure('unavailable')
/** The outcome of a write is unknown (response lost): read back before any retry. */
const Ambiguous = failure('ambiguous')
/** "Try later" without fault: 429, busy, open breaker. Deferred; costs no attempt. `notBefore` in ms since the epoch. */
const Later = t.intersection([failure('later'), t.type({ notBefore: t.number })])
/** One item is at fault; it is parked and the rest goes on. */
const BadItem = failure('bad-item')
/** The stored cursor means nothing any more: list everything again with the links as the base. */
const CursorLost = failure('cursor-lost')
/** A person must act (credentials, permissions, schema, full disk): the connection shows `error`, no retries. */
const NeedsPerson = failure('needs-person')
/** A guard stopped the plan before its first write. */
const Held = failure('held')
/** Another worker holds the lease now; this one drops everything. */
const Fenced = failure('fenced')
/** The store of leases went back in time: the connection halts (SYNC.md §A.6). */
const FenceRegress = failure('fence-regress')
/** Ended on request. */
const Cancelled = failure('cancelled')
/** The process is stopping; the work goes back to the queue. */
const Stopping = failure('stopping')
/** A fault of ours. */
const Bug = failure('bug')

export const SyncFailure = t.union([
  Unavailable, Ambiguous, Later, BadItem, CursorLost, NeedsPerson, Held, Fenced, FenceRegress, Cancelled, Stopping, Bug,
])
export type SyncFailure = t.TypeOf<typeof SyncFailure>

export const unavailable = (message: string, more: Partial<t.TypeOf<typeof facts>> = {}): SyncFailure => ({ is: 'unavailable', message, ...more })
export const badItem = (message: string, more: Partial<t.TypeOf<typeof facts>> = {}): SyncFailure => ({ is: 'bad-item', message, ...more })
export const needsPerson = (message: string, mend: string, more: Partial<t.TypeOf<typeof facts>> = {}): SyncFailure => ({ is: 'needs-person', message, mend, ...more })
/** `code` of a `cursor-lost` by which a connector says that its side was restored from a copy, not that a cursor grew old. */
export const restoredCode = 'restored'
export const bug = (message: string): SyncFailure => ({ is: 'bug', message })
