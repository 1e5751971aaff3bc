// Knows the nominal times of a cron expression in a time zone, through `croner`. Does not know jitter or connections.
//
// Summer time. An expression that names its hours (`30 2 * * *`, `*/15 2-4 * * *`) goes by the wall clock: the times of a
// skipped hour become one, at the moment the clock jumps; in a doubled hour each counts once, in its first pass.
// An expression for every hour (`*/5 * * * *`) goes by elapsed time: it keeps its pace through both.
import { Cron } from 'croner'

export type CronTimes = {
  /** First nominal time after `time`, ms since the epoch; undefined = never again. */
  readonly after: (time: number) => number | undefined
  /** Last nominal time at or before `time`; undefined = none since the epoch. */
  readonly upTo: (time: number) => number | undefined
}

/** Throws with a readable message when the expression or the zone means nothing: see `cronMistake`. */
export const cronTimes = (expression: string, timeZone: string): CronTimes => {
  const key = `${timeZone}|${expression}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  const times = parse(expression, timeZone)
  // Parsing costs about as much as one step; a memory without bound would cost more in the end.
  if (parsed.size >= 10_000) parsed.clear()
  parsed.set(key, times)
  return times
}

/** What is wrong with it, in one line; undefined = fine. */
export const cronMistake = (expression: string, timeZone: string): string | undefined => {
  try {
    cronTimes(expression, timeZone)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const parsed = new Map<string, CronTimes>()

const parse = (expression: string, timeZone: string): CronTimes => {
  const fields = expression.trim().split(/\s+/)
  if (fields.length !== 5 && fields.length !== 6) {
    throw new Error(`"${expression}" has ${fields.length} fields; cron takes 5 (minute hour day month weekday) or 6 (second first)`)
  }
  if (!isZone(timeZone)) throw new Error(`"${timeZone}" is not an IANA time zone such as Europe/Berlin or UTC`)
  const withSeconds = fields.length === 6 ? fields : ['0', ...fields]
  const cron = new Cron(byWallClock(withSeconds).join(' '), {
    paused: true, timezone: timeZone, mode: '6-part', fixedTimeRule: 'no-wildcard',
  })
  if (cron.nextRun(new Date(0)) === null) throw new Error(`"${expression}" never comes`)
  return remembered({
    after: (time) => cron.nextRun(new Date(time))?.getTime(),
    // previousRuns is exclusive, and times are whole seconds
    upTo: (time) => cron.previousRuns(1, new Date(Math.floor(time / 1000) * 1000 + 1000))[0]?.getTime(),
  })
}

/**
 * A step costs about 0.1 ms, and 100 000 connections may share one expression and ask about the same minute: the two
 * gaps between nominal times that were asked about last are kept.
 */
const remembered = (times: CronTimes): CronTimes => {
  type Gap = { readonly from: number; readonly to: number }
  let gaps: ReadonlyArray<Gap> = []
  const gapAt = (time: number): Gap => {
    const around = gaps.find((gap) => gap.from <= time && time < gap.to)
    if (around !== undefined) return around
    const from = gaps.some((gap) => gap.to === time) ? time : (times.upTo(time) ?? Number.NEGATIVE_INFINITY)
    const gap = { from, to: times.after(time) ?? Number.POSITIVE_INFINITY }
    gaps = [gap, ...gaps.slice(0, 1)]
    return gap
  }
  const known = (time: number): number | undefined => (time >= 0 && Number.isFinite(time) ? time : undefined)
  return { after: (time) => known(gapAt(time).to), upTo: (time) => known(gapAt(time).from) }
}

/**
 * croner takes the wall clock's side only for expressions without wildcards and steps in second, minute and hour; so
 * where the hours are named, the wildcards and steps are written out as lists.
 */
const byWallClock = (fields: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [second = '', minute = '', hour = '', ...days] = fields
  if (hour === '*' || hour === '?') return fields
  return [written(second, 59), written(minute, 59), written(hour, 23), ...days]
}

const written = (field: string, max: number): string => field.split(',').map((part) => writtenPart(part, max)).join(',')

const writtenPart = (part: string, max: number): string => {
  const [all, from = '0', to = String(max), step = '1'] = /^(?:[*?]|(\d+)-(\d+))(?:\/(\d+))?$/.exec(part) ?? []
  const isWritable = all !== undefined && Number(step) > 0 && Number(step) <= max && Number(from) <= Number(to) && Number(to) <= max
  if (!isWritable) return part // a plain number, or a mistake that croner reports better
  const values: Array<number> = []
  for (let value = Number(from); value <= Number(to); value += Number(step)) values.push(value)
  return values.join(',')
}

const isZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}
