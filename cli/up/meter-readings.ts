/** Knows what the quickstart's meters show: reading number n is always the same. Pure; does not know files or time. */

/** The house number is in the name; `typicalWh` is what the household uses in a quarter of an hour, on average. */
const meters = [
  { meter: 'NE-1041', startWh: 18_231_400, typicalWh: 86 },
  { meter: 'NE-1042', startWh: 9_402_750, typicalWh: 52 },
  { meter: 'NE-1043', startWh: 31_077_020, typicalWh: 140 },
  { meter: 'NE-1044', startWh: 4_518_900, typicalWh: 31 },
] as const

/** Share of the typical use per hour of the day, in percent; they sum to 2400. */
const dayProfile = [45, 38, 35, 34, 36, 52, 90, 130, 118, 95, 88, 92, 118, 105, 88, 84, 96, 138, 190, 202, 178, 140, 126, 82] as const
const quarters = 4
const perDay = dayProfile.length * quarters
const firstReadAt = Date.UTC(2026, 0, 5)
const quarterMs = 15 * 60_000

/** `n` counts from 1: every meter once, then a quarter of an hour later every meter again. A line without its end. */
export const meterReading = (n: number): string => {
  const step = Math.floor((n - 1) / meters.length)
  const { meter, startWh, typicalWh } = meters[(n - 1) % meters.length] ?? meters[0]
  const readAt = new Date(firstReadAt + step * quarterMs).toISOString().replace('.000Z', 'Z')
  const wh = startWh + usedWh(step, typicalWh)
  return `{"id":${n},"meter":"${meter}","read_at":"${readAt}","kwh":${Math.floor(wh / 1_000)}.${String(wh % 1_000).padStart(3, '0')}}`
}

/** Whole watt-hours, so that no machine rounds differently. */
const usedWh = (step: number, typicalWh: number): number => {
  const today = step % perDay
  const hour = Math.floor(today / quarters)
  const percents = Math.floor(step / perDay) * 2400 * quarters
    + dayProfile.slice(0, hour).reduce((sum, share) => sum + share, 0) * quarters
    + (dayProfile[hour] ?? 0) * (today % quarters)
  return Math.floor((percents * typicalWh) / 100)
}
