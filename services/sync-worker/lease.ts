/**
 * Knows how long a worker may trust that a lease is still its own (SYNC.md §A.5 step 7a, §C.1). Times are monotonic ms.
 * The trust window is counted from the moment a renewal was *sent*: a slow answer extends nothing.
 */
export type Term = {
  /** Revision of the lease at acquisition: the run's fence. */
  readonly fence: number
  /** Current revision: the condition of the next state write. */
  readonly revision: number
  readonly sentAt: number
}

export type LeaseTimes = { readonly ttlMs: number; readonly renewEveryMs: number; readonly marginMs: number }

/** T = 30 s, renewed every 10 s, margin 5 s (SYNC.md §C.1). */
export const leaseTimesOf = (ttlMs: number): LeaseTimes => ({ ttlMs, renewEveryMs: ttlMs / 3, marginMs: ttlMs / 6 })

export const trustedUntil = (term: Term, times: LeaseTimes): number => term.sentAt + times.ttlMs - times.marginMs

export const isTrusted = (term: Term, times: LeaseTimes, now: number): boolean => now < trustedUntil(term, times)

export const renewed = (term: Term, revision: number, sentAt: number): Term => ({ ...term, revision, sentAt })
