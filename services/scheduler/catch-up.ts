/**
 * PURE: what becomes of slots that nobody said in time, after an outage or a pause of the process: the latest one is
 * run, the others are missed, and a whole fleet's catch-up is spread. (Policies `skip` and `all` come later.)
 */
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { latestSlot, nextSlot, type Slot } from '#libs/domain/slots.ts'
import { spreadOf } from '#libs/domain/spread.ts'

/** Nominal times, both ends included. */
export type Missed = { readonly from: number; readonly to: number }

export type CaughtUp = {
  /** The slot to run, and when; absent when the next regular slot comes so soon that it serves. */
  readonly run?: { readonly slot: Slot; readonly at: number }
  readonly missed?: Missed
  /** The first regular slot after now. */
  readonly next: Slot | undefined
}

/** Up to this late a slot is just late: it is said at once. More than this is an outage, and all connections are late. */
export const lateEnoughToSpreadMs = 60_000
/** The catch-up of everything takes a minute, or one interval where that is shorter. */
const longestSpreadMs = 60_000

/** `first` is the oldest slot due and not said; `first.due <= now`. */
export const catchUp = (schedule: Schedule, connection: ConnectionId, first: Slot, now: number): CaughtUp => {
  const latest = latestSlot(schedule, connection, now) ?? first
  const next = nextSlot(schedule, connection, now)
  if (now - first.due <= lateEnoughToSpreadMs) return withMissed(schedule, connection, first, { run: { slot: latest, at: now }, next })
  const at = spreadAfter(connection, now, next === undefined ? longestSpreadMs : next.slot - latest.slot)
  // A regular slot that comes first does the same work: one run, not two
  if (next !== undefined && next.due <= at) return { missed: { from: first.slot, to: latest.slot }, next }
  return withMissed(schedule, connection, first, { run: { slot: latest, at }, next })
}

/** A moment after `now`, the same place in the spread each time for one connection. */
export const spreadAfter = (connection: ConnectionId, now: number, intervalMs: number): number =>
  now + Math.floor(spreadOf(connection) * Math.min(intervalMs, longestSpreadMs))

const withMissed = (schedule: Schedule, connection: ConnectionId, first: Slot, caughtUp: CaughtUp): CaughtUp => {
  const latest = caughtUp.run?.slot ?? first
  if (latest.slot <= first.slot) return caughtUp
  const before = latestSlot(schedule, connection, latest.due - 1) ?? first
  return { ...caughtUp, missed: { from: first.slot, to: before.slot } }
}
