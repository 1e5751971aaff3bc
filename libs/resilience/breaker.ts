/**
 * Knows when an account at a provider is left in peace, and who may ask first whether it is back (SYNC.md §1.9, D.2). Pure:
 * closed → open after 5 failures in a row → half-open with one probe → closed, or open for longer. A step that changes
 * nothing answers the very state it was given. Only what its table says counts comes here as a failure.
 */
import type { Breaker } from '../contracts/provider-state.ts'

export const healthy: Breaker = { is: 'closed', failures: 0 }

const mostFailures = 5
/** Longer than a restart, shorter than anybody's patience; doubled by each failed probe up to the longest redelivery delay. */
const firstCoolMs = 30_000
const longestCoolMs = 15 * 60_000
/** A worker that died with the probe in hand delays everybody by this: more than any request timeout. */
const probeMs = 60_000

export type Standing =
  | { readonly is: 'go' }
  | { readonly is: 'later'; readonly until: number }
  /** The one who succeeds in storing `probing(…)` may call. */
  | { readonly is: 'probe' }

export const standing = (breaker: Breaker, now: number): Standing => {
  if (breaker.is === 'closed') return { is: 'go' }
  return breaker.until > now ? { is: 'later', until: breaker.until } : { is: 'probe' }
}

/** `probe`: a token of the claim. Unchanged when there is nothing to probe, or somebody else does. */
export const probing = (breaker: Breaker, probe: string, now: number): Breaker =>
  breaker.is === 'closed' || breaker.until > now ? breaker : { is: 'half-open', probe, until: now + probeMs, coolMs: breaker.coolMs }

/** `probe`: the token of the call that failed, if it was a probe. Calls from before the opening change nothing. */
export const failed = (breaker: Breaker, now: number, probe?: string): Breaker => {
  switch (breaker.is) {
    case 'closed':
      return breaker.failures + 1 < mostFailures ? { is: 'closed', failures: breaker.failures + 1 } : opened(now, firstCoolMs)
    case 'open':
      return breaker
    case 'half-open':
      return breaker.probe === probe ? opened(now, Math.min(longestCoolMs, 2 * breaker.coolMs)) : breaker
  }
}

/** The provider answered, if only to refuse this one request. */
export const answered = (breaker: Breaker, probe?: string): Breaker => {
  switch (breaker.is) {
    case 'closed':
      return breaker.failures === 0 ? breaker : healthy
    case 'open':
      return breaker
    case 'half-open':
      return breaker.probe === probe ? healthy : breaker
  }
}

/** The probe ended without telling anything (we aborted it): the next one may probe at once. */
export const givenBack = (breaker: Breaker, now: number, probe: string): Breaker =>
  breaker.is === 'half-open' && breaker.probe === probe ? { is: 'open', until: now, coolMs: breaker.coolMs } : breaker

const opened = (now: number, coolMs: number): Breaker => ({ is: 'open', until: now + coolMs, coolMs })
