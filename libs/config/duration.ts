/** Knows durations as people write them: `500ms`, `30s`, `5m`, `1h`, `2d`, `1.5h`. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Whole ms, 0 or more; undefined when the text is not a duration. */
export const parseDuration = (text: string): number | undefined => {
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  if (amount === undefined || unit === undefined) return undefined
  const ms = Math.round(Number(amount) * (unitMs[unit] ?? 0))
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** In the largest unit that needs no fraction; `ms` is rounded to a whole number. */
export const formatDuration = (ms: number): string => {
  const whole = Math.round(ms)
  const [unit, size] = Object.entries(unitMs).findLast(([, each]) => whole > 0 && whole % each === 0) ?? ['s', 1_000]
  return `${whole / size}${unit}`
}
