/** Knows which failure of a sync a treatment ends as, once what can be done at once was done. Pure. */
import { bug, needsPerson, unavailable, type SyncFailure } from '../domain/failure.ts'
import type { Treatment } from './call.ts'

export type Said = {
  /** Who failed, and how: without secrets, and without what people wrote. */
  readonly message: string
  /** HTTP status, errno. */
  readonly code?: string
  readonly item?: string
}

/** Nobody said how long. */
const deferralMs = 60_000

/**
 * undefined when the treatment is no failure of the call: what it found out is for the connector to use (`gone`, `replan`,
 * `adopt`, `split`…). `chance` in [0, 1) spreads those who come back later.
 */
export const failureOf = (treatment: Treatment, said: Said, nowMs: number, chance: number): SyncFailure | undefined => {
  const failure = kindOf(treatment, said, nowMs, chance)
  switch (failure?.is) {
    case 'unavailable':
    case 'ambiguous':
      return treatment.countsForBreaker ? failure : { ...failure, providerWell: true }
    case 'needs-person':
      return treatment.countsForBreaker ? { ...failure, providerWell: false } : failure
    default:
      return failure
  }
}

const kindOf = ({ action, wait, mend }: Treatment, said: Said, nowMs: number, chance: number): SyncFailure | undefined => {
  const { message, ...facts } = said
  switch (action) {
    case 'ok':
    case 'unchanged':
    case 'more':
    case 'follow':
    case 'gone':
    case 'replan':
    case 'adopt':
    case 'split':
      return undefined
    case 'inline':
    case 'again':
      return unavailable(message, facts)
    case 'read-back':
      return { is: 'ambiguous', ...said }
    case 'defer': {
      const [leastMs, mostMs] = wait ?? [deferralMs, 1.1 * deferralMs]
      return { is: 'later', ...said, notBefore: Math.ceil(nowMs + leastMs + chance * (mostMs - leastMs)) }
    }
    case 'hand-back':
      return { is: 'stopping', ...said }
    case 'item':
      return { is: 'bad-item', ...said }
    case 'resync':
      return { is: 'cursor-lost', ...said }
    case 'refresh':
    case 'reread-token':
    case 'downgrade':
    case 'stop-writes':
    case 'person':
      return needsPerson(message, mend ?? 'look at what the provider answered, and at the options of the side', facts)
    case 'bug':
      return { ...bug(message), ...facts }
  }
}
