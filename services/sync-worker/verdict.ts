/**
 * Knows what becomes of a work item once its flows have ended: settled with an outcome, tried again, put off without
 * costing an attempt, or given up on (SYNC.md §D.1).
 */
import type { FlowResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Outcome } from '#libs/domain/states.ts'
import { nakDelayMs } from '#libs/resilience/backoff.ts'

export type Judgement =
  | { readonly is: 'settled'; readonly outcome: Outcome; readonly error?: SyncFailure }
  | { readonly is: 'retry'; readonly delayMs: number; readonly error: SyncFailure }
  /** A request with this time takes its place; no attempt is used up. */
  | { readonly is: 'defer'; readonly notBefore: number; readonly error: SyncFailure }
  | { readonly is: 'dead'; readonly outcome: 'dead' | 'partial'; readonly error: SyncFailure }
  /** Not ours any more: say nothing, the new owner settles it. */
  | { readonly is: 'abandon'; readonly error: SyncFailure }

export type Circumstances = { readonly attempt: number; readonly maxAttempts: number; readonly random: number; readonly now: number }

export const judge = (flows: ReadonlyArray<FlowResult>, failures: ReadonlyArray<SyncFailure>, { attempt, maxAttempts, random, now }: Circumstances): Judgement => {
  const worst = [...failures].sort((x, y) => weight(y) - weight(x))[0]
  const someWentWell = flows.some(({ outcome }) => outcome === 'succeeded' || outcome === 'partial')
  if (worst === undefined) return { is: 'settled', outcome: outcomeOf(flows) }
  switch (worst.is) {
    case 'fenced':
      return { is: 'abandon', error: worst }
    case 'cancelled':
      return { is: 'settled', outcome: 'cancelled', error: worst }
    case 'stopping':
      return { is: 'defer', notBefore: now, error: worst }
    case 'later':
      return { is: 'defer', notBefore: worst.notBefore, error: worst }
    case 'unavailable':
    case 'ambiguous':
    case 'bug':
    case 'cursor-lost':
      return attempt < maxAttempts
        ? { is: 'retry', delayMs: nakDelayMs(attempt, random), error: worst }
        : { is: 'dead', outcome: someWentWell ? 'partial' : 'dead', error: worst }
    case 'held':
      return { is: 'settled', outcome: 'held', error: worst }
    case 'needs-person':
    case 'fence-regress':
    case 'bad-item':
      // Trying again would meet the same wall: it is told, with what to do next.
      return { is: 'settled', outcome: someWentWell ? 'partial' : 'failed', error: worst }
  }
}

/** Which failure decides when several flows failed: what ends the run outranks what can be retried, and so on. */
const weight = (failure: SyncFailure): number => {
  switch (failure.is) {
    case 'fenced':
      return 9
    case 'fence-regress':
      return 8
    case 'cancelled':
      return 7
    case 'stopping':
      return 6
    case 'later':
      return 5
    case 'bug':
    case 'unavailable':
    case 'ambiguous':
    case 'cursor-lost':
      return 4
    case 'needs-person':
    case 'bad-item':
      return 3
    case 'held':
      return 2
  }
}

const outcomeOf = (flows: ReadonlyArray<FlowResult>): Outcome => {
  if (flows.some(({ outcome }) => outcome === 'held')) return 'held'
  return flows.some(({ outcome }) => outcome === 'partial') ? 'partial' : 'succeeded'
}

/** A tick that meets a busy connection is simply skipped: its next slot comes soon (R 17.2); anything else is kept. */
export const mayBeSkipped = (item: WorkItem, attempt: number): boolean => item.cause === 'tick' && attempt === 1
