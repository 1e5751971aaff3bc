/** Knows the UTC date-times of vCard and iCalendar and their RFC 3339 form. Does not know local times or zones. */

/** RFC 3339 UTC, or null for anything that is no instant by itself (no zone, a date only). */
export const instantOf = (value: string): string | null => {
  const found = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:[.,]\d+)?Z$/.exec(value.trim())
  if (found === null) return null
  const [, year, month, day, hour, minute, second] = found
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}

/** `20260101T100000Z`; null when the argument is no RFC 3339 UTC instant. */
export const stampOf = (instant: string): string | null => instantOf(instant)?.replace(/[-:]/g, '') ?? null
