import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { latestSlot, nextSlot, scheduleMistake, shortestIntervalMs, slots } from '#libs/domain/slots.ts'

const minute = 60_000
const day = 24 * 60 * minute
const contacts = 'contacts' as ConnectionId
const everyMinute: Schedule = { kind: 'interval', everyMs: minute }
const cron = (expression: string, timeZone = 'UTC', jitterMs?: number): Schedule => ({ kind: 'cron', expression, timeZone, ...(jitterMs === undefined ? {} : { jitterMs }) })

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/) as fc.Arbitrary<ConnectionId>
const jitter = fc.option(fc.record({ jitterMs: fc.oneof(fc.nat(10_000), fc.nat(10 * day)) }), { nil: {} })
const interval = fc
  .tuple(fc.oneof(fc.integer({ min: shortestIntervalMs, max: 5_000 }), fc.integer({ min: 1_000, max: 90 * day }), fc.double({ min: 500, max: 2_000, noNaN: true })), jitter)
  .map(([everyMs, more]): Schedule => ({ kind: 'interval', everyMs, ...more }))
const cronSchedule = fc
  .tuple(
    fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '30 2 * * *', '0 0 * * 1', '*/20 2,3 * * *', '*/10 * * * * *', '0 3 29 2 *'),
    fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'),
    jitter,
  )
  .map(([expression, timeZone, more]): Schedule => ({ kind: 'cron', expression, timeZone, ...more }))
const schedule = fc.oneof(interval, cronSchedule)
/** Around the European and American changes of 2026. */
const time = fc.oneof(
  fc.integer({ min: Date.parse('2026-03-28T00:00:00Z'), max: Date.parse('2026-03-30T00:00:00Z') }),
  fc.integer({ min: Date.parse('2026-10-24T00:00:00Z'), max: Date.parse('2026-11-02T00:00:00Z') }),
  fc.integer({ min: 0, max: 4_000_000_000_000 }),
)

describe('a window of slots', () => {
  it('may be split anywhere without losing or doubling one', () => {
    fc.assert(
      fc.property(schedule, id, time, fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (when, conn, from, count, cut) => {
        const first = slots(when, conn, from, Number.POSITIVE_INFINITY, count)
        const to = first.at(-1)?.due ?? from + day
        const middle = Math.floor(from + (to - from) * cut)
        const whole = slots(when, conn, from, to)
        expect([...slots(when, conn, from, middle), ...slots(when, conn, middle, to)]).toEqual(whole)
        expect(whole).toEqual(first)
      }),
      {
        numRuns: 300,
        examples: [
          // the window's end is the due time itself, which belongs to it
          [{ kind: 'interval', everyMs: minute, jitterMs: 0 }, contacts, 0, 1, 1],
          // the cut lies between a nominal time and its due time
          [{ kind: 'interval', everyMs: 1_000, jitterMs: 999 }, contacts, 0, 2, 0.5],
          // a doubled hour
          [cron('30 2 * * *', 'Europe/Berlin'), contacts, Date.parse('2026-10-25T00:00:00Z'), 2, 0.01],
        ],
      },
    )
  })

  it('holds each slot between its nominal time and the next', () => {
    fc.assert(
      fc.property(schedule, id, time, (when, conn, from) => {
        const found = slots(when, conn, from, Number.POSITIVE_INFINITY, 20)
        expect(found.length).toBeGreaterThan(0)
        found.forEach(({ slot, due }, i) => {
          expect(due).toBeGreaterThanOrEqual(slot)
          expect(due).toBeLessThan(found[i + 1]?.slot ?? Number.POSITIVE_INFINITY)
          expect(Number.isInteger(slot) && Number.isInteger(due)).toBe(true)
        })
      }),
      { numRuns: 200 },
    )
  })

  it('agrees with nextSlot and latestSlot', () => {
    fc.assert(
      fc.property(schedule, id, time, (when, conn, at) => {
        const next = nextSlot(when, conn, at)
        expect(next).toEqual(slots(when, conn, at, Number.POSITIVE_INFINITY, 1)[0])
        const latest = latestSlot(when, conn, at)
        if (latest === undefined || next === undefined) return
        expect(latest.due).toBeLessThanOrEqual(at)
        expect(nextSlot(when, conn, latest.due)).toEqual(next)
        expect(nextSlot(when, conn, latest.due - 1)).toEqual(latest)
      }),
      { numRuns: 300 },
    )
  })

  it('is the same on any machine, whatever was asked before', () => {
    expect(slots(everyMinute, contacts, 1_790_000_000_000, 1_790_000_200_000)).toEqual([
      { slot: 1_790_000_044_927, due: 1_790_000_046_442 },
      { slot: 1_790_000_104_927, due: 1_790_000_107_317 },
      { slot: 1_790_000_164_927, due: 1_790_000_166_440 },
    ])
  })

  it('costs by the slots in it, and an absurd one ends', () => {
    expect(slots(everyMinute, contacts, 0, Number.POSITIVE_INFINITY)).toHaveLength(100_000)
    expect(slots(everyMinute, contacts, Number.NEGATIVE_INFINITY, 3 * minute).length).toBeGreaterThanOrEqual(2)
    expect(slots(everyMinute, contacts, 100, 100)).toEqual([])
    expect(slots(everyMinute, contacts, 200, 100)).toEqual([])
    expect(slots(everyMinute, contacts, Number.NaN, Number.NaN)).toEqual([])
  })

  it('is empty for a manual schedule and for one that cannot be', () => {
    for (const when of [{ kind: 'manual' }, { kind: 'interval', everyMs: 0 }, { kind: 'interval', everyMs: Number.NaN }, cron('nonsense')] satisfies Array<Schedule>) {
      expect(slots(when, contacts, 0, day)).toEqual([])
      expect(nextSlot(when, contacts, 0)).toBeUndefined()
      expect(latestSlot(when, contacts, day)).toBeUndefined()
    }
  })
})

describe('phases and jitter', () => {
  const ids = Array.from({ length: 10_000 }, (_, i) => `conn-${i}` as ConnectionId)

  it('spread 10,000 connections of one interval evenly', () => {
    const perSecond = new Array<number>(60).fill(0)
    for (const conn of ids) {
      const second = Math.floor(((nextSlot({ ...everyMinute, jitterMs: 0 }, conn, 0)?.slot ?? 0) % minute) / 1000)
      perSecond[second] = (perSecond[second] ?? 0) + 1
    }
    // Chi squared with 59 degrees of freedom stays below 100 in 99.9% of fair throws
    const mean = ids.length / 60
    expect(perSecond.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0)).toBeLessThan(100)
  })

  it('differ from slot to slot and fill their window', () => {
    const offsets = slots({ kind: 'interval', everyMs: minute, jitterMs: 1_000 }, contacts, 0, 1_000 * minute).map(({ slot, due }) => due - slot)
    expect(new Set(offsets).size).toBeGreaterThan(500)
    expect(Math.max(...offsets)).toBeGreaterThan(950)
    expect(Math.min(...offsets)).toBeLessThan(50)
  })

  it('stay small when nobody asked for jitter', () => {
    const largest = (when: Schedule) => Math.max(...slots(when, contacts, 0, 90 * day, 300).map(({ slot, due }) => due - slot))
    expect(largest(everyMinute)).toBeLessThanOrEqual(3_000)
    expect(largest({ kind: 'interval', everyMs: day })).toBeLessThanOrEqual(30_000)
  })

  it('never reach the next slot, however wide they are configured', () => {
    for (const { slot, due } of slots({ kind: 'interval', everyMs: 1_000, jitterMs: day }, contacts, 0, 500_000)) expect(due - slot).toBeLessThan(1_000)
  })
})

describe('cron in a zone with summer time', () => {
  const local = (expression: string, timeZone: string, from: string, count: number) =>
    slots(cron(expression, timeZone, 0), contacts, Date.parse(from), Number.POSITIVE_INFINITY, count).map(({ slot }) => new Date(slot).toISOString().slice(5, 16))

  it.each([
    ['a skipped hour fires once, when the clock jumps', '30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['03-29T01:00', '03-30T00:30']],
    ['so do all times of a skipped hour together', '*/20 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['03-29T01:00', '03-30T00:00', '03-30T00:20']],
    ['and with a time right after it', '0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['03-29T01:00', '03-30T00:00', '03-30T01:00']],
    ['a doubled hour fires once, in its first pass', '30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['10-25T00:30', '10-26T01:30']],
    ['so does each time of a doubled hour', '*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['10-25T00:00', '10-25T00:30', '10-26T01:00']],
    ['also across the ocean', '30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', ['11-01T05:30', '11-02T06:30']],
    ['every hour keeps its pace through both', '0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', ['10-25T00:00', '10-25T01:00', '10-25T02:00']],
    ['six fields begin with the second', '15 30 2 * * *', 'UTC', '2026-10-24T12:00:00Z', ['10-25T02:30']],
  ])('%s', (_, expression, zone, from, expected) => {
    expect(local(expression, zone, from, expected.length)).toEqual(expected)
  })
})

describe('a mistaken schedule is told in words', () => {
  it.each<[Schedule, RegExp | undefined]>([
    [everyMinute, undefined],
    [{ kind: 'manual' }, undefined],
    [cron('0 7 * * MON-FRI', 'Europe/Berlin'), undefined],
    [{ kind: 'interval', everyMs: 5 }, /interval of 5 ms is not possible/],
    [{ kind: 'interval', everyMs: Number.POSITIVE_INFINITY }, /not possible/],
    [{ kind: 'interval', everyMs: minute, jitterMs: -1 }, /jitter of -1 ms/],
    [cron('* * *'), /has 3 fields/],
    [cron('@daily'), /has 1 fields/],
    [cron('61 * * * *'), /minute: 61/],
    [cron('0 0 30 2 *'), /never comes/],
    [cron('* * * * *', 'Mars/Olympus'), /Mars\/Olympus/],
  ])('%o', (when, expected) => {
    if (expected === undefined) expect(scheduleMistake(when)).toBeUndefined()
    else expect(scheduleMistake(when)).toMatch(expected)
  })
})
