/**
 * KV `sync_providers`, key `<provider>.<account>`: what all workers know together of one account at a provider. Written by
 * sync-workers, each write conditional on the key's revision. No entry: nothing is wrong and no limit is known.
 */
import * as t from 'io-ts'
import { hashOf } from '../domain/record.ts'
import { contract } from './decode.ts'

/** Times in ms since the epoch. */
const Breaker = t.union([
  /** `failures`: one after the other, so far. */
  t.type({ is: t.literal('closed'), failures: t.number }),
  /** Nobody calls before `until`. `coolMs` is how long that lasts; it grows when a probe fails. */
  t.type({ is: t.literal('open'), until: t.number, coolMs: t.number }),
  /** One call is let through: that of the worker whose token is `probe`. It has until `until` to tell how it went. */
  t.type({ is: t.literal('half-open'), probe: t.string, until: t.number, coolMs: t.number }),
])
export type Breaker = t.TypeOf<typeof Breaker>

/** A steady rate: one call every `everyMs`, `burst` at once. `tat`: when the next call is due on paper (GCRA). */
const Pace = t.type({ everyMs: t.number, burst: t.number, tat: t.number })
export type Pace = t.TypeOf<typeof Pace>

/** A number of calls until a time. `left`: not yet handed out to a worker. `guessed`: nobody told `resetAt` yet. */
const Window = t.intersection([
  t.type({ limit: t.number, left: t.number, resetAt: t.number, windowMs: t.number }),
  t.partial({ guessed: t.boolean }),
])
export type Window = t.TypeOf<typeof Window>

export const ProviderState = contract('provider-state.1', t.intersection([
  t.type({ breaker: Breaker }),
  t.partial({
    /** The provider asked for silence until then: 429, Retry-After. */
    pausedUntil: t.number,
    /** How often it did so since a call last went well. */
    refusals: t.number,
    /** Since when its name cannot be resolved (ENOTFOUND). */
    namelessSince: t.number,
    pace: Pace,
    window: Window,
    /** Worker → when it last took a share of the budget, for the last minute: how many share it when NATS is away. */
    users: t.record(t.string, t.number),
  }),
]))
export type ProviderState = t.TypeOf<typeof ProviderState.codec>

/** `account`: the connector's own stable name of the account; only its digest becomes part of the key. */
export const providerKey = (provider: string, account: string): string =>
  `${provider.replace(/[^-\w]/g, '-')}.${hashOf({ account })}`
