/**
 * Knows how the sandbox connector asks the provider: one request with its deadline, what its answer or its broken line means
 * by the failure tables of libs/resilience, and the tries in between. Does not know items.
 */
import { systemClock } from '#libs/clock.ts'
import type { Meter } from '#libs/connectors/connector.ts'
import { badItem, unavailable, type SyncFailure } from '#libs/domain/failure.ts'
import { E, type TE } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { bodyHint } from '#libs/resilience/body-hint.ts'
import type { Call, Treatment } from '#libs/resilience/call.ts'
import { failureOf } from '#libs/resilience/failure-of.ts'
import { httpFailure } from '#libs/resilience/http-failure.ts'
import { inlineRetry } from '#libs/resilience/inline-retry.ts'
import { networkCode, networkFailure } from '#libs/resilience/network-failure.ts'
import { limitsIn } from '#libs/resilience/rate-headers.ts'

export type Ask = {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  readonly url: string
  readonly subject: Call['subject']
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** The item it is about, for messages. */
  readonly item?: string
}

export type Answered = { readonly status: number; readonly body: unknown; readonly etag: string | null }
/** What the tables make of an answer; `failure` undefined: not a failure, `action` says what it is. */
export type Trouble = { readonly treatment: Treatment; readonly failure: SyncFailure | undefined; readonly body: unknown }

export type Caller = (ask: Ask, signal: AbortSignal) => TE.TaskEither<Trouble, Answered>

/** SYNC.md §C.1: less than half a lease. */
const requestTimeoutMs = 12_000

export type CallerOptions = { readonly headers: Readonly<Record<string, string>>; readonly meter?: Meter; readonly timeoutMs?: number }

export const callerOf = ({ headers, meter, timeoutMs = requestTimeoutMs }: CallerOptions): Caller => {
  const once = (ask: Ask, signal: AbortSignal): TE.TaskEither<Trouble, Answered> => async () => {
    const leave = await meter?.take(signal)()
    if (leave !== undefined && E.isLeft(leave)) return E.left({ treatment: { action: 'defer', countsForBreaker: false }, failure: leave.left, body: null })
    if (signal.aborted) return broken(ask, new DOMException('ended', 'AbortError'))
    try {
      const response = await fetch(ask.url, {
        method: ask.method, redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: { ...headers, ...ask.headers }, ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      })
      const text = await response.text()
      const told = Object.fromEntries(response.headers)
      const limits = limitsIn(told, systemClock.now())
      if (limits !== undefined) meter?.heard(limits)
      return answered(ask, response.status, told, text)
    } catch (thrown) {
      return broken(ask, thrown)
    }
  }
  return (ask, signal) => inlineRetry({ clock: systemClock, random: systemRandom, signal, treat: ({ treatment }) => treatment }, once(ask, signal))
}

const callOf = ({ method, subject }: Ask): Call => ({ method, idempotent: method === 'GET', sent: true, subject })

const answered = (ask: Ask, status: number, headers: Readonly<Record<string, string>>, text: string): E.Either<Trouble, Answered> => {
  const body = parsed(text)
  const isUnreadable = status >= 200 && status < 300 && body === undefined
  const hint = isUnreadable ? 'unreadable' : bodyHint(text)
  const treatment = httpFailure({ status, headers, ...(hint === undefined ? {} : { hint }) }, callOf(ask), systemClock.now())
  if (treatment.action === 'ok') return E.right({ status, body: body ?? null, etag: headers['etag'] ?? null })
  return E.left(trouble(ask, treatment, String(status), `the sandbox answered ${status}${isUnreadable ? ' with a body nobody can read' : ''}`, body))
}

const broken = (ask: Ask, thrown: unknown): E.Either<Trouble, Answered> => {
  const code = networkCode(thrown)
  return E.left(trouble(ask, networkFailure(code, callOf(ask)), code ?? 'line', `no answer from the sandbox (${code ?? String(thrown)})`, null))
}

const trouble = (ask: Ask, treatment: Treatment, code: string, message: string, body: unknown): Trouble => ({
  treatment, body,
  failure: failureOf(treatment, { message: `${ask.method} ${ask.item ?? ask.subject}: ${message}`, code, ...(ask.item === undefined ? {} : { item: ask.item }) }, systemClock.now(), systemRandom.next()),
})

/** undefined: not JSON. */
const parsed = (text: string): unknown => {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of a trouble that the caller has no use for. */
export const failed = ({ failure, treatment }: Trouble): SyncFailure => failure ?? unavailable(`the sandbox answered in a way that means "${treatment.action}" here`)

export const unreadable = (item: string): SyncFailure => badItem('its fields are garbled', { item })
