/**
 * Decides what a connection document changes: which slots are its own, and whether it owes a first sync.
 * Does not know how documents arrive or are decoded. Changes the agenda in place (see due.ts).
 */
import type { ConnectionId } from '#libs/domain/ids.ts'
import { nextSlot, scheduleMistake } from '#libs/domain/slots.ts'
import { spreadAfter } from './catch-up.ts'
import { dropFrom, putInto, type Extra, type Watched } from './due.ts'
import { clockToleranceMs, type Applied, type Decided, type Effect, type State } from './state.ts'

/** Above this many applied together, first syncs are spread (DESIGN §13). */
const togetherAtOnce = 20

export const applied = (state: State, document: Applied, by: 'watch' | 'look-up', now: number): Decided => {
  const { watched } = document
  const known = state.agenda.entries.get(watched.conn)
  // A look-up that the watch has overtaken tells of a document that was deleted since
  const isOld = watched.revision <= (known?.revision ?? (by === 'look-up' ? state.seen : -1))
  const next = { ...state, seen: by === 'watch' ? Math.max(state.seen, watched.revision) : state.seen, touchedAt: now }
  if (isOld) return { next, effects: [] }
  const mistake = scheduleMistake(watched.schedule)
  const warnings: ReadonlyArray<Effect> = mistake === undefined ? [] : [{ do: 'warn', event: 'schedule.mistaken', facts: { conn: watched.conn, reason: mistake } }]
  if (!state.live) {
    state.arrivals.set(watched.conn, document)
    putInto(state.agenda, { ...watched, next: undefined, extra: undefined, owesFirst: false })
    return { next, effects: warnings }
  }
  const isSameSchedule = known !== undefined && JSON.stringify(known.schedule) === JSON.stringify(watched.schedule)
  const pending = known?.extra?.is === 'first' ? known.extra : undefined
  const owesFirst = known === undefined ? isScheduled(watched) : known.owesFirst || pending !== undefined
  putInto(state.agenda, {
    ...watched,
    next: isSameSchedule ? known.next : nextSlot(watched.schedule, watched.conn, Math.max(state.upTo, now)),
    extra: !owesFirst ? known?.extra : watched.paused ? undefined : (pending ?? firstSync(document, document.together, now)),
    owesFirst: owesFirst && watched.paused,
  })
  return { next, effects: [...warnings, { do: 'nudge' }] }
}

export const deleted = (state: State, conn: ConnectionId, revision: number): Decided => {
  const known = state.agenda.entries.get(conn)
  if (known === undefined || known.revision < revision) dropFrom(state.agenda, conn)
  state.arrivals.delete(conn)
  return { next: { ...state, seen: Math.max(state.seen, revision) }, effects: [] }
}

export const loaded = (state: State, watermark: number | undefined, now: number): Decided => {
  const isAhead = watermark !== undefined && watermark > now + clockToleranceMs
  const upTo = watermark === undefined || isAhead ? now : watermark
  const isNew = ({ watched, appliedAt }: Applied) =>
    isScheduled(watched) && (watermark === undefined || (appliedAt > upTo && appliedAt <= now + clockToleranceMs))
  const together = [...state.arrivals.values()].filter(isNew).length
  for (const document of state.arrivals.values()) {
    const { watched, appliedAt } = document
    const first = isNew(document)
    putInto(state.agenda, {
      ...watched,
      // A schedule has no slots from before it was applied
      next: nextSlot(watched.schedule, watched.conn, first ? now : Math.min(now, Math.max(upTo, appliedAt))),
      extra: first && !watched.paused ? firstSync(document, Math.max(document.together, together), now) : undefined,
      owesFirst: first && watched.paused,
    })
  }
  state.arrivals.clear()
  const warnings: ReadonlyArray<Effect> = isAhead ? [{ do: 'warn', event: 'clock.behind-watermark', facts: { at: now, notBefore: watermark } }] : []
  return { next: { ...state, live: true, upTo, remembered: watermark ?? 0, touchedAt: now }, effects: [...warnings, { do: 'nudge' }] }
}

/** Manual connections wait to be asked; those with a mistaken schedule cannot know when they are due. */
const isScheduled = ({ schedule }: Watched): boolean => schedule.kind !== 'manual' && scheduleMistake(schedule) === undefined

const firstSync = ({ watched, appliedAt }: Applied, together: number, now: number): Extra => {
  const interval = watched.schedule.kind === 'interval' ? watched.schedule.everyMs : Number.POSITIVE_INFINITY
  const at = together > togetherAtOnce ? spreadAfter(watched.conn, now, interval) : now
  return { is: 'first', at, floor: Math.min(appliedAt, now) - 1 }
}
