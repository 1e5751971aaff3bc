/**
 * Knows the headers by which providers tell their rate limits: `RateLimit` and `RateLimit-Policy` of the IETF draft,
 * `RateLimit-*`, `X-RateLimit-*` and those with a vendor's name before (Fitbit). Pure.
 */
import { httpDate } from './retry-after.ts'

/** What one answer told. Calls are counted over all of the account's users. */
export type Limits = {
  /** Calls per window. */
  readonly limit?: number
  /** Calls left in the current window, which ends in `resetInMs`. */
  readonly remaining?: number
  readonly resetInMs?: number
  readonly windowMs?: number
}

/** Header names in lower case. undefined: not a word about limits. */
export const limitsIn = (headers: Readonly<Record<string, string | undefined>>, nowMs: number): Limits | undefined => {
  const now = httpDate(headers['date']?.trim() ?? '') ?? nowMs
  const draft = { ...parameters(headers['ratelimit-policy']), ...parameters(headers['ratelimit']) }
  const limits = {
    limit: draft['q'] ?? draft['limit'] ?? plain(headers, 'limit'),
    remaining: draft['r'] ?? draft['remaining'] ?? plain(headers, 'remaining'),
    resetInMs: inMs(draft['t'] ?? draft['reset'] ?? plain(headers, 'reset'), now),
    windowMs: inMs(draft['w'], now),
  }
  const told = Object.entries(limits).filter(([, value]) => value !== undefined)
  return told.length === 0 ? undefined : Object.fromEntries(told)
}

/** `"default";r=50;t=30`, or `limit=100, remaining=50, reset=30`: only the first policy is obeyed. */
const parameters = (header: string | undefined): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {}
  for (const [, name = '', value] of header?.matchAll(/(?:^|[;,\s])([a-z]+)=(\d+)/g) ?? []) found[name] ??= Number(value)
  return found
}

const plain = (headers: Readonly<Record<string, string | undefined>>, what: string): number | undefined => {
  const name = Object.keys(headers).find((one) => one.endsWith(`ratelimit-${what}`) || one.endsWith(`rate-limit-${what}`))
  const number = /^\d+/.exec(headers[name ?? '']?.trim() ?? '')?.[0]
  return number === undefined ? undefined : Number(number)
}

/** Seconds from now, or the time itself in seconds or ms since the epoch: no window lasts thirty years. */
const inMs = (value: number | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  if (value < 1e9) return value * 1_000
  return Math.max(0, (value < 1e12 ? value * 1_000 : value) - now)
}
