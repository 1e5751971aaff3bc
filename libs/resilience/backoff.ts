/**
 * Knows how long to wait before the next try: full jitter, so that many who failed together do not come back together.
 * Pure: the caller passes a number of [0, 1).
 */

export type Backoff = { readonly baseMs: number; readonly capMs: number }

/** SYNC.md §D.1 INL: up to three tries of one call inside a run. */
export const inlineBackoff: Backoff = { baseMs: 200, capMs: 5_000 }
/** SYNC.md §D.1 NAK: the whole work item again by redelivery. */
export const nakBackoff: Backoff = { baseMs: 5_000, capMs: 15 * 60_000 }

/** Whole ms in [0, min(cap, base · 2^failures)]; `failures` counts the tries that failed before this wait, from 0. */
export const fullJitterMs = ({ baseMs, capMs }: Backoff, failures: number, random: number): number =>
  Math.round(random * Math.min(capMs, baseMs * 2 ** Math.max(0, failures)))

/** Delay of `nak(delay)` after delivery number `attempt`, from 1 (SYNC.md §D.1 NAK(d)). */
export const nakDelayMs = (attempt: number, random: number): number => fullJitterMs(nakBackoff, attempt - 1, random)
