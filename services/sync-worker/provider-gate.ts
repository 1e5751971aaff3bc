/**
 * Knows whether a provider account may be called now, for all workers together: its circuit breaker, the silence it asked
 * for, the calls its limits leave. While nothing is known against an account, asking costs neither a round trip nor a wait.
 */
import type { Clock } from '#libs/clock.ts'
import type { Meter } from '#libs/connectors/connector.ts'
import { providerKey, type ProviderState } from '#libs/contracts/provider-state.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { Random } from '#libs/random.ts'
import { probing, standing } from '#libs/resilience/breaker.ts'
import { calmed, isLimited, learn, refuse } from '#libs/resilience/budget.ts'
import { nameFound, namelessTooLong, nameNotFound } from '#libs/resilience/nameless.ts'
import { breakerAfter, type CallOutcome } from './call-outcome.ts'
import { providerLine, type ProviderLine } from './provider-line.ts'
import { sharedStates, type ProviderStore } from './shared-states.ts'

/** `account`: as the connector names it, without secrets. */
export type Account = { readonly provider: string; readonly account: string }

/** Leave for one call; how that went is reported with it. */
export type Pass = { readonly key: string; readonly provider: string; readonly probe?: string }

export type Admission = { readonly is: 'go'; readonly pass: Pass } | { readonly is: 'later'; readonly failure: SyncFailure }

export type Gate = {
  /** Breaker and pause. Counts no call of a rate budget: the connector does, request by request, with the meter. */
  readonly admit: (account: Account) => Promise<Admission>
  /** Answers what a failed call means by now, when it is worse than it looks by itself. */
  readonly report: (pass: Pass, outcome: CallOutcome) => Promise<SyncFailure | undefined>
  /** The rate budget of the account, shared in turn by the connections of this process. */
  readonly meter: (account: Account, conn: string) => Meter
  readonly ready: Promise<void>
  readonly stop: () => Promise<void>
}

export type GateDeps = { readonly store: ProviderStore; readonly clock: Clock; readonly random: Pick<Random, 'next' | 'token'>; readonly worker: string }

/** Somebody is asking whether it is back: that is known in seconds. */
const probingMs = 10_000

export const providerGate = ({ store, clock, random, worker }: GateDeps): Gate => {
  const states = sharedStates(store, clock, random)
  const lines = new Map<string, ProviderLine>()
  const stopped = new AbortController()
  /** By key: what was heard last and is not stored yet. */
  const telling = new Map<string, Promise<unknown>>()

  const lineOf = (key: string): ProviderLine => {
    const line = lines.get(key) ?? providerLine(key, worker, states, clock, stopped.signal)
    lines.set(key, line)
    return line
  }

  /** Spread by a tenth of the wait, at least a second: all of the account's connections wait for the same moment. */
  const later = ({ provider }: Account, why: 'breaker-open' | 'paused' | 'rate-limit', until: number): SyncFailure => {
    const now = clock.now()
    const notBefore = Math.ceil(Math.max(until, now) + random.next() * Math.max(1_000, (until - now) / 10))
    return { is: 'later', message: `${provider} ${reasons[why]}; nobody calls this account before ${new Date(notBefore).toISOString()}`, notBefore, code: why }
  }

  const silence = (account: Account, { pausedUntil = 0 }: ProviderState): SyncFailure | undefined =>
    pausedUntil > clock.now() ? later(account, 'paused', pausedUntil) : undefined

  /** While nobody may call: a name that has been lost for long is told, rather than put off once more. */
  const refusal = (account: Account, state: ProviderState, until: number): SyncFailure =>
    namelessTooLong(state, account.provider, clock.now()) ?? later(account, 'breaker-open', until)

  const probe = async (account: Account, key: string): Promise<Admission> => {
    const token = random.token()
    const changed = await states.change(key, (state) => {
      if (state.breaker.is === 'half-open' && state.breaker.probe === token) return state // our write, whose answer was lost
      const breaker = probing(state.breaker, token, clock.now())
      return breaker === state.breaker ? state : { ...state, breaker }
    })
    const breaker = changed.is === 'done' ? changed.state.breaker : states.known(key).breaker
    const pass = { key, provider: account.provider }
    if (breaker.is === 'closed') return { is: 'go', pass }
    if (changed.is === 'done' && breaker.is === 'half-open' && breaker.probe === token) return { is: 'go', pass: { ...pass, probe: token } }
    return { is: 'later', failure: refusal(account, states.known(key), Math.min(breaker.until, clock.now() + probingMs)) }
  }

  const change = (key: string, step: (state: ProviderState) => ProviderState): Promise<unknown> =>
    step(states.known(key)) === states.known(key) ? Promise.resolve() : states.change(key, step)

  return {
    admit: (account) => {
      const key = providerKey(account.provider, account.account)
      const state = states.known(key)
      const silent = silence(account, state)
      if (silent !== undefined) return Promise.resolve({ is: 'later', failure: silent })
      const now = standing(state.breaker, clock.now())
      if (now.is === 'probe') return probe(account, key)
      if (now.is === 'go') return Promise.resolve({ is: 'go', pass: { key, provider: account.provider } })
      const until = state.breaker.is === 'half-open' ? Math.min(now.until, clock.now() + probingMs) : now.until
      return Promise.resolve({ is: 'later', failure: refusal(account, state, until) })
    },
    report: async ({ key, provider, probe: token }, outcome) => {
      await change(key, (state) => {
        const breaker = breakerAfter(outcome, state.breaker, clock.now(), token)
        const next = named(breaker === state.breaker ? state : { ...state, breaker }, outcome, clock.now())
        if (outcome.is === 'answered') return calmed(next, clock.now())
        return outcome.is === 'paused' ? refuse(next, outcome.notBefore, clock.now()) : next
      })
      return outcome.is === 'failed' && outcome.name === 'lost' ? namelessTooLong(states.known(key), provider, clock.now()) : undefined
    },
    meter: (account, conn) => {
      const key = providerKey(account.provider, account.account)
      return {
        take: (signal) => async () => {
          await telling.get(key)
          const state = states.known(key)
          const silent = silence(account, state)
          if (silent !== undefined) return E.left(silent)
          if (!isLimited(state)) return E.right(undefined)
          const turn = await lineOf(key).take(conn, signal)
          return turn === null ? E.right(undefined) : E.left(silence(account, states.known(key)) ?? later(account, 'rate-limit', turn))
        },
        heard: (limits) => {
          const told = change(key, (state) => learn(state, limits, clock.now()))
          telling.set(key, told)
          void told.finally(() => {
            if (telling.get(key) === told) telling.delete(key)
          })
        },
      }
    },
    ready: states.ready,
    stop: async () => {
      stopped.abort()
      await Promise.allSettled(telling.values())
      await states.stop()
    },
  }
}

const named = (state: ProviderState, outcome: CallOutcome, now: number): ProviderState => {
  if (outcome.is === 'unknown' || (outcome.is === 'failed' && outcome.name === 'unasked')) return state
  return outcome.is === 'failed' && outcome.name === 'lost' ? nameNotFound(state, now) : nameFound(state)
}

const reasons = {
  'breaker-open': 'failed several times in a row',
  paused: 'asked for silence',
  'rate-limit': 'takes no more calls for now',
} as const
