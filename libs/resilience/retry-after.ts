/** Knows how a `Retry-After` header is read (RFC 9110 §10.2.3): seconds or a date. Pure. */

/** A server that asks for more is asked again after a day. */
const longestMs = 24 * 3_600_000

/**
 * ms to wait, in [0, 24 h]; undefined when there is no header or it means nothing. A date is measured by the server's own
 * `Date` header, so a clock that is wrong here does no harm; without it by `nowMs`.
 */
export const retryAfterMs = (value: string | undefined, serverDate: string | undefined, nowMs: number): number | undefined => {
  const text = value?.trim() ?? ''
  if (/^-?\d+(\.\d+)?$/.test(text)) return clamp(Math.ceil(Number(text) * 1_000))
  const until = httpDate(text)
  return until === undefined ? undefined : clamp(until - (httpDate(serverDate?.trim() ?? '') ?? nowMs))
}

const clamp = (ms: number): number => Math.min(longestMs, Math.max(0, ms))

/** ms since the epoch of an HTTP date in any of its three forms; the engine's own parser takes far more than those. */
export const httpDate = (text: string): number | undefined => {
  const isAsctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(text)
  if (!isAsctime && !/^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  const at = Date.parse(isAsctime ? `${text} GMT` : text)
  return Number.isNaN(at) ? undefined : at
}
