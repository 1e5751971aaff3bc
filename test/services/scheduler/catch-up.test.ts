import { describe, expect, it } from 'vitest'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { nextSlot, type Slot } from '#libs/domain/slots.ts'
import { catchUp, spreadAfter } from '../../../services/scheduler/catch-up.ts'

const minute = 60_000
const hour = 60 * minute
const start = 1_790_000_000_000
const contacts = 'contacts' as ConnectionId
const every = (everyMs: number): Schedule => ({ kind: 'interval', everyMs, jitterMs: 0 })
const first = (schedule: Schedule): Slot => nextSlot(schedule, contacts, start)!

describe('a slot nobody said in time', () => {
  it('is run at once when it is just late', () => {
    const slot = first(every(hour))
    expect(catchUp(every(hour), contacts, slot, slot.due + 59_000)).toEqual({ run: { slot, at: slot.due + 59_000 }, next: { slot: slot.slot + hour, due: slot.due + hour } })
  })

  it('is run within a minute after an outage, at the same place for the same connection', () => {
    const slot = first(every(hour))
    const now = slot.due + 10 * minute
    expect(catchUp(every(hour), contacts, slot, now).run).toEqual({ slot, at: spreadAfter(contacts, now, hour) })
  })

  it('is the latest of many: the others are missed', () => {
    const slot = first(every(hour))
    const { run, missed } = catchUp(every(hour), contacts, slot, slot.due + 5 * hour + 10 * minute)
    expect([run?.slot.slot, missed]).toEqual([slot.slot + 5 * hour, { from: slot.slot, to: slot.slot + 4 * hour }])
  })

  it('is not run at all when the next regular slot comes sooner', () => {
    const slot = first(every(10_000))
    const now = slot.due + 8 * hour + 9_999
    expect(catchUp(every(10_000), contacts, slot, now)).toEqual({
      missed: { from: slot.slot, to: slot.slot + 8 * hour },
      next: { slot: slot.slot + 8 * hour + 10_000, due: slot.due + 8 * hour + 10_000 },
    })
  })

  it('does not pile up during a short hiccup either', () => {
    const slot = first(every(1_000))
    const { run, missed } = catchUp(every(1_000), contacts, slot, slot.due + 5_500)
    expect([run, missed]).toEqual([{ slot: { slot: slot.slot + 5_000, due: slot.due + 5_000 }, at: slot.due + 5_500 }, { from: slot.slot, to: slot.slot + 4_000 }])
  })
})

describe('a spread', () => {
  it('is as wide as the interval, and never wider than a minute', () => {
    const places = (intervalMs: number) => Array.from({ length: 2_000 }, (_, i) => spreadAfter(`c${i}` as ConnectionId, 0, intervalMs))
    for (const [intervalMs, width] of [[5_000, 5_000], [hour, minute], [Number.POSITIVE_INFINITY, minute]] as const) {
      expect(Math.max(...places(intervalMs))).toBeLessThan(width)
      expect(Math.max(...places(intervalMs))).toBeGreaterThan(0.95 * width)
    }
  })
})
