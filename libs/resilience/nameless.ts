/**
 * Knows since when a provider's name has not been found, and when that is no passing fault any more (SYNC.md §D.2: ENOTFOUND
 * for more than an hour holds). Pure; a step that changes nothing answers the very state it was given.
 */
import type { ProviderState } from '../contracts/provider-state.ts'
import { needsPerson, type SyncFailure } from '../domain/failure.ts'

const holdAfterMs = 3_600_000

export const nameNotFound = (state: ProviderState, now: number): ProviderState =>
  state.namelessSince === undefined ? { ...state, namelessSince: now } : state

/** A call that got as far as an address, however it went then. */
export const nameFound = (state: ProviderState): ProviderState => {
  if (state.namelessSince === undefined) return state
  const { namelessSince: _over, ...rest } = state
  return rest
}

/** Undefined as long as trying again may help. `provider`: whose name it is, for the message. */
export const namelessTooLong = ({ namelessSince }: ProviderState, provider: string, now: number): SyncFailure | undefined =>
  namelessSince === undefined || now - namelessSince <= holdAfterMs
    ? undefined
    : needsPerson(
        `${provider}: its host name has not been found since ${new Date(namelessSince).toISOString()}`,
        'correct the address of the side, or the name service of the workers; the connection goes on by itself once the name is found',
        { code: 'ENOTFOUND', providerWell: false },
      )
