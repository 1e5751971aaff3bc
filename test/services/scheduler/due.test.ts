import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { nextSlot, slots } from '#libs/domain/slots.ts'
import { emptyAgenda, floorOf, nextDue, putInto, takeDue, windBack, type Agenda, type Entry, type Saying } from '../../../services/scheduler/due.ts'
import { popFrom, pushInto, type Heap } from '../../../services/scheduler/heap.ts'

const minute = 60_000
const start = 1_790_000_000_000
const conn = (name: string) => name as ConnectionId
const everyMinute: Schedule = { kind: 'interval', everyMs: minute }

const entry = (more: Partial<Entry> & { conn: ConnectionId }): Entry => {
  const schedule = more.schedule ?? everyMinute
  return { schedule, lane: 'hot', paused: false, revision: 1, owesFirst: false, extra: undefined, next: nextSlot(schedule, more.conn, start), ...more }
}
const agendaOf = (...entries: ReadonlyArray<Entry>): Agenda => {
  const agenda = emptyAgenda()
  for (const one of entries) putInto(agenda, one)
  return agenda
}
/** The nominal times a saying accounts for. */
const accountsFor = (saying: Saying): ReadonlyArray<number> => {
  if (saying.say === 'first') return []
  if (saying.say === 'tick') return [saying.slot]
  return slots({ ...everyMinute, ...saying.watched.schedule, jitterMs: 0 } as Schedule, saying.watched.conn, saying.slots.from - 1, saying.slots.to).map(({ slot }) => slot)
}

describe('the heap', () => {
  it('gives back what was put in, earliest first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
        const heap: Heap<string> = []
        for (const at of times) pushInto(heap, { at, id: 'x' })
        const out = Array.from({ length: times.length }, () => popFrom(heap)?.at)
        expect([out, popFrom(heap)]).toEqual([[...times].sort((a, b) => a - b), undefined])
      }),
      { examples: [[[]], [[1]], [[2, 1]], [[3, 3, 1, 3]]] },
    )
  })
})

describe('waking up', () => {
  const gap = fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 10 * minute }), fc.integer({ min: minute, max: 9 * 60 * minute }))
  const schedule = fc.constantFrom<Schedule>(everyMinute, { kind: 'interval', everyMs: 10_000 }, { kind: 'interval', everyMs: 90 * minute, jitterMs: 80 * minute }, { kind: 'cron', expression: '*/5 * * * *', timeZone: 'UTC' })

  it('gives every slot exactly one outcome, however irregular the wakes', () => {
    fc.assert(
      fc.property(schedule, fc.array(fc.tuple(gap, fc.boolean()), { minLength: 1, maxLength: 30 }), (when, wakes) => {
        const id = conn('contacts')
        const agenda = agendaOf(entry({ conn: id, schedule: when }))
        const told: Array<number> = []
        let now = start
        for (const [ms, paused] of wakes) {
          now += ms
          const known = agenda.entries.get(id)
          if (known !== undefined) putInto(agenda, { ...known, paused })
          for (const saying of takeDue(agenda, now)) told.push(...accountsFor(saying))
        }
        const extra = agenda.entries.get(id)?.extra
        if (extra?.is === 'catch-up') told.push(extra.slot.slot)
        expect(told.sort((a, b) => a - b)).toEqual(slots(when, id, start, now).map(({ slot }) => slot))
        expect(nextDue(agenda)).toBeGreaterThan(now)
      }),
      {
        numRuns: 300,
        examples: [
          [everyMinute, [[8 * 60 * minute, false], [30_000, false], [30_000, false]]], // a laptop that slept
          [{ kind: 'cron', expression: '*/5 * * * *', timeZone: 'UTC' }, [[60 * minute, false], [60 * minute, false]]], // and slept again before the catch-up
          [everyMinute, [[60 * minute, true], [1_000, false]]],
        ],
      },
    )
  })

  it('says a slot that is a little late at once, and one after an outage within a minute', () => {
    const agenda = agendaOf(entry({ conn: conn('a'), schedule: { kind: 'interval', everyMs: 60 * minute } }))
    const first = agenda.entries.get(conn('a'))?.next
    expect(first).toBeDefined()
    expect(takeDue(agenda, first!.due + 20_000)).toMatchObject([{ say: 'tick', slot: first!.slot }])
    const second = agenda.entries.get(conn('a'))?.next
    const now = second!.due + 10 * minute
    expect(takeDue(agenda, now)).toEqual([])
    expect([nextDue(agenda)! - now < minute, floorOf(agenda)]).toEqual([true, second!.due - 1])
    expect(takeDue(agenda, now + minute)).toMatchObject([{ say: 'tick', slot: second!.slot }])
    expect(floorOf(agenda)).toBe(Number.POSITIVE_INFINITY)
  })

  it('spreads the catch-up of many connections', () => {
    const agenda = agendaOf(...Array.from({ length: 1_000 }, (_, i) => entry({ conn: conn(`c${i}`), schedule: { kind: 'interval', everyMs: 10 * minute } })))
    const now = start + 60 * minute
    const atOnce = takeDue(agenda, now).filter(({ say }) => say === 'tick')
    const perSecond = Array.from({ length: 60 }, (_, second) => takeDue(agenda, now + (second + 1) * 1_000).filter(({ say }) => say === 'tick').length)
    expect(atOnce).toHaveLength(0)
    expect(Math.max(...perSecond)).toBeLessThan(40)
  })

  it('skips what is due while paused, and drops a first sync that was still to come', () => {
    const paused = entry({ conn: conn('a'), paused: true })
    expect(takeDue(agendaOf(paused), paused.next!.due)).toMatchObject([{ say: 'skip', why: 'paused', slots: { from: paused.next!.slot, to: paused.next!.slot } }])
    expect(takeDue(agendaOf({ ...paused, extra: { is: 'first', at: start, floor: 0 } }), start)).toEqual([])
  })

  it('lets a regular slot stand for a first sync that waits beside it', () => {
    const both = entry({ conn: conn('a') })
    const agenda = agendaOf({ ...both, extra: { is: 'first', at: both.next!.due, floor: 0 } })
    expect(takeDue(agenda, both.next!.due).map(({ say }) => say)).toEqual(['tick'])
    expect(floorOf(agenda)).toBe(Number.POSITIVE_INFINITY)
  })

  it('repeats the same slots when the clock went back', () => {
    const agenda = agendaOf(entry({ conn: conn('a') }))
    const once = takeDue(agenda, start + minute)
    windBack(agenda, start)
    expect(takeDue(agenda, start + minute)).toEqual(once)
  })
})

describe('a hundred thousand connections', () => {
  const crowd = (size: number) => {
    const agenda = agendaOf(...Array.from({ length: size }, (_, i) => entry({ conn: conn(`conn-${i}`), schedule: { kind: 'interval', everyMs: (size / 100) * 1_000 } })))
    takeDue(agenda, start + 1_000)
    return agenda
  }
  /** Median ms of a wake; in each about as many (5) are due, whatever the size. */
  const wakeMs = (agenda: Agenda) => {
    const times: Array<number> = []
    for (let now = start + 1_000; now < start + 20_000; now += 50) {
      const began = performance.now()
      takeDue(agenda, now)
      times.push(performance.now() - began)
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  }

  it('cost a wake no more than a thousand do', () => {
    const [small, large] = [crowd(1_000), crowd(100_000)]
    wakeMs(small)
    expect(wakeMs(large)).toBeLessThan(20 * wakeMs(small) + 0.2) // a look at each of them would be a hundred times as much
  })

  it('do not pile up outdated times when they are applied over and over', () => {
    const agenda = agendaOf(entry({ conn: conn('a') }))
    for (let i = 0; i < 10_000; i++) putInto(agenda, entry({ conn: conn('a'), revision: i }))
    expect(agenda.heap.length).toBeLessThan(2_000)
  })
})
