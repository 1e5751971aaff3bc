/**
 * PURE: which slots are due, what is to be said about each, and when to look again. Does not know NATS or clocks.
 *
 * The agenda is changed in place (names that begin with put, drop, take and wind say so): it belongs to one actor and
 * holds every connection of the shard. Same calls, same answers.
 */
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { nextSlot, type Slot } from '#libs/domain/slots.ts'
import { catchUp, type Missed } from './catch-up.ts'
import { popFrom, pushInto, type Heap } from './heap.ts'

/** What is kept of a connection's document: bytes, not flows. */
export type Watched = {
  readonly conn: ConnectionId
  readonly schedule: Schedule
  readonly lane: 'hot' | 'cold'
  readonly paused: boolean
  readonly revision: number
}

/** A tick beside the regular ones: the first sync, or a slot caught up later. The watermark stays before `floor` until then. */
export type Extra =
  | { readonly is: 'first'; readonly at: number; readonly floor: number }
  | { readonly is: 'catch-up'; readonly at: number; readonly floor: number; readonly slot: Slot }

/** `owesFirst`: applied while paused; its first sync comes when it is resumed. */
export type Entry = Watched & { readonly next: Slot | undefined; readonly extra: Extra | undefined; readonly owesFirst: boolean }

/** One thing to tell the world about a connection's slot. */
export type Saying =
  | { readonly say: 'tick'; readonly watched: Watched; readonly slot: number; readonly due: number }
  | { readonly say: 'first'; readonly watched: Watched; readonly due: number }
  | { readonly say: 'skip'; readonly watched: Watched; readonly slots: Missed; readonly why: 'paused' | 'missed' }

export type Agenda = { readonly entries: Map<ConnectionId, Entry>; readonly heap: Heap<ConnectionId> }

export const emptyAgenda = (): Agenda => ({ entries: new Map(), heap: [] })

export const putInto = (agenda: Agenda, entry: Entry): void => {
  agenda.entries.set(entry.conn, entry)
  // Connections applied over and over leave outdated items behind
  if (agenda.heap.length > 2 * agenda.entries.size + 1_000) heapAnew(agenda)
  else pushWake(agenda.heap, entry)
}

export const dropFrom = (agenda: Agenda, conn: ConnectionId): void => {
  agenda.entries.delete(conn)
}

/** Everything due at `now`; afterwards nothing in the agenda is. */
export const takeDue = (agenda: Agenda, now: number): ReadonlyArray<Saying> => {
  const sayings: Array<Saying> = []
  for (let first = agenda.heap[0]; first !== undefined && first.at <= now; first = agenda.heap[0]) {
    popFrom(agenda.heap)
    const entry = agenda.entries.get(first.id)
    if (entry === undefined || wakeOf(entry) !== first.at) continue // outdated: the entry changed since
    const taken = takeTurn(entry, now)
    sayings.push(...taken.sayings)
    putInto(agenda, taken.entry)
  }
  return sayings
}

/** When the agenda wants to be looked at next; undefined = nothing is scheduled. May be too early, never too late. */
export const nextDue = (agenda: Agenda): number | undefined => agenda.heap[0]?.at

/** No watermark may reach past this: a first sync or a caught-up slot is still to be said. */
export const floorOf = (agenda: Agenda): number => {
  let floor = Number.POSITIVE_INFINITY
  for (const { extra } of agenda.entries.values()) if (extra !== undefined && extra.floor < floor) floor = extra.floor
  return floor
}

/** The clock went back: everything due after `now` is due again. Ticks said before keep their ids, so they are not doubled. */
export const windBack = (agenda: Agenda, now: number): void => {
  for (const [conn, entry] of agenda.entries) {
    const extra = entry.extra === undefined ? undefined : { ...entry.extra, at: now }
    agenda.entries.set(conn, { ...entry, extra, next: nextSlot(entry.schedule, conn, now) })
  }
  heapAnew(agenda)
}

const heapAnew = ({ heap, entries }: Agenda): void => {
  heap.length = 0
  for (const entry of entries.values()) pushWake(heap, entry)
}

const pushWake = (heap: Heap<ConnectionId>, entry: Entry): void => {
  const at = wakeOf(entry)
  if (at !== undefined) pushInto(heap, { at, id: entry.conn })
}

const wakeOf = ({ next, extra }: Entry): number | undefined =>
  next === undefined ? extra?.at : extra === undefined ? next.due : Math.min(next.due, extra.at)

const takeTurn = (entry: Entry, now: number): { readonly sayings: ReadonlyArray<Saying>; readonly entry: Entry } => {
  const { conn, schedule, lane, paused, revision, next, extra } = entry
  const watched: Watched = { conn, schedule, lane, paused, revision }
  if (next === undefined || next.due > now) return { sayings: extra === undefined ? [] : sayExtra(watched, extra), entry: { ...entry, extra: undefined } }

  // A regular slot is due: it serves whatever was waiting beside it
  const { run, missed, next: following } = catchUp(schedule, conn, next, now)
  const from = extra?.is === 'catch-up' ? extra.slot.slot : missed?.from
  const after = { ...entry, next: following, extra: undefined }
  const last = run?.slot.slot ?? missed?.to ?? next.slot
  if (paused) return { sayings: [skip(watched, { from: from ?? next.slot, to: last }, 'paused')], entry: after }
  const skips = from === undefined ? [] : [skip(watched, { from, to: missed?.to ?? from }, 'missed')]
  if (run === undefined) return { sayings: skips, entry: after }
  if (run.at > now) return { sayings: skips, entry: { ...after, extra: { is: 'catch-up', at: run.at, floor: next.due - 1, slot: run.slot } } }
  return { sayings: [...skips, { say: 'tick', watched, slot: run.slot.slot, due: run.slot.due }], entry: after }
}

const sayExtra = (watched: Watched, extra: Extra): ReadonlyArray<Saying> => {
  if (extra.is === 'first') return watched.paused ? [] : [{ say: 'first', watched, due: extra.at }]
  const { slot, due } = extra.slot
  return watched.paused ? [skip(watched, { from: slot, to: slot }, 'paused')] : [{ say: 'tick', watched, slot, due }]
}

const skip = (watched: Watched, slots: Missed, why: 'paused' | 'missed'): Saying => ({ say: 'skip', watched, slots, why })
