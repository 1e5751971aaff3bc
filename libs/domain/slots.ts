/**
 * Knows when a schedule is due, as a pure function of time: nothing remembers when the next slot is (DESIGN §5).
 * Does not know clocks, watermarks or what became of a slot.
 *
 * A slot's number is its nominal time. It is due between that and the next nominal time: `jitterMs` is the width of the
 * window behind the nominal time, and a hash of connection and slot picks the place in it. Intervals have a phase, a
 * hash of the connection, so that connections of one interval do not fall due together; cron times have none.
 */
import { cronMistake, cronTimes, type CronTimes } from './cron.ts'
import type { ConnectionId } from './ids.ts'
import type { Schedule } from './schedule.ts'
import { spreadOf, spreadOfNth } from './spread.ts'

/** Both in ms since the epoch. */
export type Slot = { readonly slot: number; readonly due: number }

/** Below this a run cannot even make its round trips. */
export const shortestIntervalMs = 100

/**
 * Jitter when none is configured: 5% of the way to the next slot, at most 30 s. Phases already spread intervals, so a
 * little suffices to keep two connections of one phase from meeting each time; more would show ("every minute, sort of").
 */
const defaultJitterShare = 0.05
const longestDefaultJitterMs = 30_000

/** Absurd windows end here; what is left out is the far end. */
const mostSlots = 100_000

/**
 * The slots with `from < due <= to`, oldest first, at most `limit` of them. Windows that touch share no slot and lose
 * none. A schedule with a mistake has no slots.
 */
export const slots = (schedule: Schedule, connection: ConnectionId, from: number, to: number, limit = mostSlots): ReadonlyArray<Slot> => {
  const found: Array<Slot> = []
  for (const slot of eachSlot(schedule, connection, from, to)) {
    if (found.length >= limit) break
    found.push(slot)
  }
  return found
}

/** The first slot with `due > after`; undefined = never. */
export const nextSlot = (schedule: Schedule, connection: ConnectionId, after: number): Slot | undefined =>
  eachSlot(schedule, connection, after, Number.POSITIVE_INFINITY).next().value

/** The last slot with `due <= at`; undefined = none yet. */
export const latestSlot = (schedule: Schedule, connection: ConnectionId, at: number): Slot | undefined => {
  const times = nominalTimes(schedule, connection)
  const last = times?.upTo(at)
  if (times === undefined || last === undefined) return undefined
  const due = dueOf(schedule, connection, last, times.after(last))
  if (due <= at) return { slot: last, due }
  // Jitter never reaches the next nominal time, so the one before was due by then
  const before = times.upTo(last - 1)
  return before === undefined ? undefined : { slot: before, due: dueOf(schedule, connection, before, last) }
}

/** What is wrong with a schedule, in one line for a person; undefined = fine. */
export const scheduleMistake = (schedule: Schedule): string | undefined => {
  switch (schedule.kind) {
    case 'manual':
      return undefined
    case 'interval':
      if (schedule.everyMs >= shortestIntervalMs && Number.isFinite(schedule.everyMs)) return jitterMistake(schedule.jitterMs)
      return `an interval of ${schedule.everyMs} ms is not possible: at least ${shortestIntervalMs} ms`
    case 'cron':
      return cronMistake(schedule.expression, schedule.timeZone) ?? jitterMistake(schedule.jitterMs)
  }
}

const jitterMistake = (jitterMs: number | undefined): string | undefined =>
  jitterMs === undefined || jitterMs >= 0 ? undefined : `a jitter of ${jitterMs} ms is not possible: 0 or more`

function* eachSlot(schedule: Schedule, connection: ConnectionId, from: number, to: number): Generator<Slot, undefined> {
  const times = nominalTimes(schedule, connection)
  if (times === undefined) return undefined
  const start = Math.max(from, -1)
  const end = Math.min(to, latestDate)
  // The last nominal time at or before the start may still be due after it
  let nominal = times.upTo(start) ?? times.after(start)
  while (nominal !== undefined && nominal <= end) {
    const next = times.after(nominal)
    const due = dueOf(schedule, connection, nominal, next)
    if (due > start && due <= end) yield { slot: nominal, due }
    nominal = next
  }
  return undefined
}

/** The last moment a Date can hold. */
const latestDate = 8.64e15

const nominalTimes = (schedule: Schedule, connection: ConnectionId): CronTimes | undefined => {
  if (schedule.kind === 'manual' || scheduleMistake(schedule) !== undefined) return undefined
  return schedule.kind === 'cron' ? cronTimes(schedule.expression, schedule.timeZone) : intervalTimes(schedule.everyMs, connection)
}

const intervalTimes = (everyMs: number, connection: ConnectionId): CronTimes => {
  const every = Math.floor(everyMs)
  const phase = Math.floor(spreadOf(connection) * every)
  const turn = (time: number): number => Math.floor((time - phase) / every)
  return {
    after: (time) => phase + Math.max(0, turn(time) + 1) * every,
    upTo: (time) => (time < phase ? undefined : phase + turn(time) * every),
  }
}

const dueOf = (schedule: Schedule, connection: ConnectionId, nominal: number, next: number | undefined): number => {
  const gap = (next ?? Number.POSITIVE_INFINITY) - nominal
  const jitterMs = schedule.kind === 'manual' ? 0 : schedule.jitterMs
  const width = Math.min(jitterMs ?? Math.min(gap * defaultJitterShare, longestDefaultJitterMs), gap - 1)
  return nominal + Math.floor(spreadOfNth(connection, nominal) * (width + 1))
}
