/** Knows RFC 3339 instants as ms since the epoch. A time without an offset is no instant, so it is not trusted. */

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/

/** undefined for absent or untrustworthy texts. */
export const instantMs = (text: string | undefined): number | undefined => {
  if (text === undefined || !rfc3339.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isFinite(ms) ? ms : undefined
}
