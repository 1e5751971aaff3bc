/** Knows what the end of a call says about the provider (SYNC.md §D.2, column CB), and what that does to its breaker. Pure. */
import type { Breaker } from '#libs/contracts/provider-state.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { answered, failed, givenBack } from '#libs/resilience/breaker.ts'

export type CallOutcome =
  /** It answered, if only to refuse this one request. */
  | { readonly is: 'answered' }
  /** It failed in a way that counts for the breaker. `name`: nobody knows it (ENOTFOUND), or there was nobody to ask (EAI_AGAIN). */
  | { readonly is: 'failed'; readonly name?: 'lost' | 'unasked' }
  /** It asked for silence until then. */
  | { readonly is: 'paused'; readonly notBefore: number }
  /** Ended by ourselves, or no call at all: says nothing about the provider. */
  | { readonly is: 'unknown' }

export const outcomeOf = (failure: SyncFailure): CallOutcome => {
  switch (failure.is) {
    case 'unavailable':
    case 'ambiguous':
      if (failure.providerWell === true) return { is: 'answered' }
      if (failure.code === 'ENOTFOUND') return { is: 'failed', name: 'lost' }
      return failure.code === 'EAI_AGAIN' ? { is: 'failed', name: 'unasked' } : { is: 'failed' }
    case 'later':
      return { is: 'paused', notBefore: failure.notBefore }
    case 'bad-item':
    case 'cursor-lost':
    case 'needs-person':
      return failure.providerWell === false ? { is: 'failed' } : { is: 'answered' }
    case 'held':
    case 'fenced':
    case 'fence-regress':
    case 'cancelled':
    case 'stopping':
    case 'bug':
      return { is: 'unknown' }
  }
}

/** Of several failures inside one answer the one that says most: silence asked for, then trouble. */
export const worstOf = (failures: ReadonlyArray<SyncFailure>): SyncFailure | undefined =>
  failures.find(({ is }) => is === 'later') ?? failures.find((failure) => outcomeOf(failure).is === 'failed') ?? failures[0]

/** `probe`: the token of the call, if it was the one that asks whether the provider is back. */
export const breakerAfter = (outcome: CallOutcome, breaker: Breaker, now: number, probe: string | undefined): Breaker => {
  switch (outcome.is) {
    case 'answered':
    case 'paused':
      return answered(breaker, probe)
    case 'failed':
      return failed(breaker, now, probe)
    case 'unknown':
      return probe === undefined ? breaker : givenBack(breaker, now, probe)
  }
}
