import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { slots } from '#libs/domain/slots.ts'
import { decide, untilNextWake } from '../../../services/scheduler/actor.ts'
import type { Saying } from '../../../services/scheduler/due.ts'
import { initialState, type Applied, type Effect, type Message } from '../../../services/scheduler/state.ts'

const minute = 60_000
const hour = 60 * minute
const start = 1_790_000_000_000
const hourly: Schedule = { kind: 'interval', everyMs: hour }
const applied = (name: string, more: Partial<Applied['watched']> = {}, document: Partial<Applied> = {}): Applied => ({
  watched: { conn: name as ConnectionId, schedule: hourly, lane: 'hot', paused: false, revision: 1, ...more }, appliedAt: start, together: 1, ...document,
})

/** A scheduler whose world stores what it is told, unless told otherwise. */
const scheduler = (watermark: number | undefined, documents: ReadonlyArray<Applied>, at = start) => {
  let state = initialState()
  const said: Array<Saying> = []
  const remembered: Array<number> = []
  let isUp = true
  const tell = (message: Message, now: number): ReadonlyArray<Effect> => {
    const decided = decide(state, message, now)
    state = decided.next
    for (const effect of decided.effects) {
      if (effect.do === 'say') {
        if (isUp) said.push(...effect.sayings)
        tell({ is: 'said', unsaid: isUp ? [] : effect.sayings }, now)
      }
      if (effect.do === 'remember' && isUp) {
        remembered.push(effect.upTo)
        tell({ is: 'remembered', watermark: effect.upTo }, now)
      }
    }
    return decided.effects
  }
  for (const document of documents) tell({ is: 'applied', applied: document, by: 'watch' }, at)
  tell({ is: 'loaded', watermark }, at)
  return {
    tell,
    apply: (document: Applied, now: number, by: 'watch' | 'look-up' = 'watch') => tell({ is: 'applied', applied: document, by }, now),
    /** Wakes once a second, as the timer does at least; answers what was said meanwhile. */
    run: (from: number, to: number) => {
      const before = said.length
      for (let now = from; now <= to; now += 1_000) tell({ is: 'wake' }, now)
      return said.slice(before)
    },
    said: () => said.map((saying) => `${saying.say} ${saying.watched.conn}`),
    watermark: () => remembered.at(-1),
    store: (up: boolean) => (isUp = up),
    state: () => state,
  }
}

describe('a connection that is applied', () => {
  it('is synced at once, and then by its schedule', () => {
    const one = scheduler(start, [])
    expect(one.apply(applied('a'), start + 1)).toContainEqual({ do: 'nudge' })
    const said = one.run(start + 1, start + 2 * hour)
    expect(said.map(({ say }) => say)).toEqual(['first', 'tick', 'tick'])
  })

  it.each<[string, Partial<Applied['watched']>]>([['manual', { schedule: { kind: 'manual' } }], ['mistaken', { schedule: { kind: 'cron', expression: 'often', timeZone: 'UTC' } }]])('waits to be asked when its schedule is %s', (_, more) => {
    const one = scheduler(start, [])
    one.apply(applied('a', more), start)
    expect(one.run(start, start + hour)).toEqual([])
  })

  it('spreads its first sync over a minute when it comes in a crowd', () => {
    const one = scheduler(start, [])
    for (let i = 0; i < 100; i++) one.apply(applied(`c${i}`, {}, { together: 100 }), start)
    expect(one.run(start, start).length).toBeLessThan(10)
    expect(one.run(start + 1_000, start + minute).filter(({ say }) => say === 'first').length).toBeGreaterThan(90)
  })

  it('keeps its slots when it is applied again with the same schedule, and gets others with another', () => {
    const one = scheduler(start + 1, [applied('a')])
    const next = one.state().agenda.entries.get('a' as ConnectionId)?.next
    one.apply(applied('a', { revision: 2, lane: 'cold' }), start + 5)
    expect(one.state().agenda.entries.get('a' as ConnectionId)).toMatchObject({ next, lane: 'cold' })
    one.apply(applied('a', { revision: 3, schedule: { kind: 'interval', everyMs: minute } }), start + 6)
    expect(one.run(start + 6, start + 6 + minute)).toMatchObject([{ say: 'tick' }])
  })

  it('is not taken back to an older document, nor revived by one that was deleted meanwhile', () => {
    const one = scheduler(start, [])
    one.apply(applied('a', { revision: 5 }), start)
    one.apply(applied('a', { revision: 4, paused: true }), start, 'look-up')
    expect(one.state().agenda.entries.get('a' as ConnectionId)?.paused).toBe(false)
    one.tell({ is: 'deleted', conn: 'a' as ConnectionId, revision: 6 }, start)
    one.apply(applied('a', { revision: 5 }), start, 'look-up')
    expect(one.run(start, start + hour)).toEqual([])
    one.apply(applied('b', { revision: 7 }), start, 'look-up')
    expect(one.state().agenda.entries.has('b' as ConnectionId)).toBe(true)
  })
})

describe('a connection that is paused', () => {
  it('gets its first sync when it is resumed', () => {
    const one = scheduler(start, [])
    one.apply(applied('a', { paused: true }), start)
    expect(one.run(start, start + 1_000)).toEqual([])
    one.apply(applied('a', { revision: 2 }), start + 2_000)
    expect(one.run(start + 2_000, start + 3_000)).toMatchObject([{ say: 'first' }])
  })

  it('has its slots skipped one by one, and goes on with the next after the pause', () => {
    const one = scheduler(start + 1, [applied('a', { paused: true })])
    expect(one.run(start, start + 2 * hour)).toMatchObject([{ say: 'skip', why: 'paused' }, { say: 'skip', why: 'paused' }])
    one.apply(applied('a', { revision: 2 }), start + 2 * hour)
    expect(one.run(start + 2 * hour, start + 3 * hour)).toMatchObject([{ say: 'tick' }])
  })
})

describe('a start', () => {
  it.each([
    ['without a watermark syncs everything first', undefined, ['first a', 'first b']],
    ['syncs first what was applied while nobody was there', start - 1, ['first b']],
    ['repeats nothing that was seen', start + 1, []],
  ])('%s', (_, watermark, expected) => {
    const one = scheduler(watermark, [applied('a', {}, { appliedAt: start - hour }), applied('b')], start + 10)
    one.run(start + 10, start + 10)
    expect(one.said()).toEqual(expected)
  })

  it('with a watermark from the future goes by its own clock, and says so', () => {
    const one = scheduler(undefined, [])
    const effects = decide(initialState(), { is: 'loaded', watermark: start + hour }, start).effects
    expect(effects).toContainEqual(expect.objectContaining({ do: 'warn', event: 'clock.behind-watermark' }))
    expect(one.state().upTo).toBe(start)
  })

  it('goes on where the last one was stopped, without losing a slot', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 3 * 3_600 })), { minLength: 1, maxLength: 8 }), (lives) => {
        const schedule: Schedule = { kind: 'interval', everyMs: 7 * minute, jitterMs: minute }
        const known = [applied('a', { schedule }, { appliedAt: start - 1 })]
        const covered = new Set<number>()
        let [now, watermark] = [start, start]
        for (const [upSeconds, downSeconds] of lives) {
          const one = scheduler(watermark, known, now)
          for (const saying of one.run(now, now + upSeconds * 1_000)) {
            const { from, to } = saying.say === 'skip' ? saying.slots : saying.say === 'tick' ? { from: saying.slot, to: saying.slot } : { from: 0, to: -1 }
            for (const { slot } of slots({ ...schedule, jitterMs: 0 }, 'a' as ConnectionId, from - 1, to)) covered.add(slot)
          }
          watermark = one.watermark() ?? watermark
          now += (upSeconds + downSeconds) * 1_000 // killed, not stopped
        }
        const owed = slots(schedule, 'a' as ConnectionId, start, watermark).map(({ slot }) => slot)
        expect(owed.filter((slot) => !covered.has(slot))).toEqual([])
      }),
      { numRuns: 60, examples: [[[[300, 0], [1, 10_000], [30, 0], [300, 0]]]] },
    )
  })
})

describe('a store that cannot be reached', () => {
  it('gets the same slots again until it has them, and the watermark waits', () => {
    const one = scheduler(start, [])
    one.apply(applied('a'), start + 1)
    one.store(false)
    one.run(start + 1, start + 10_000)
    expect([one.said(), one.watermark()]).toEqual([[], undefined])
    one.store(true)
    one.run(start + 11_000, start + 13_000)
    expect(one.said()).toEqual(['first a'])
    expect(one.watermark()).toBeGreaterThanOrEqual(start + 11_000)
  })

  it('is written to about once a second while there is something to remember, and not at all when idle', () => {
    const one = scheduler(start, [applied('a')])
    one.run(start, start + 5_000)
    const idle = one.watermark()
    one.run(start + 6_000, start + 10 * minute)
    expect(one.watermark()).toBe(idle)
  })
})

describe('time', () => {
  it('that went back repeats the slots instead of waiting for it to pass again', () => {
    const one = scheduler(start, [applied('a', {}, { appliedAt: start - 1 })])
    const once = one.run(start, start + hour)
    expect(one.run(start, start + hour)).toEqual(once)
  })

  it('is looked at again when something is due, within a second at the latest, never in a frenzy', () => {
    const one = scheduler(start + 1, [applied('a')])
    const due = one.state().agenda.entries.get('a' as ConnectionId)!.next!.due
    expect([due - 300, due - 5_000, due - 1, due + 5].map((now) => untilNextWake(one.state(), now))).toEqual([300, 1_000, 10, 10])
    expect(untilNextWake(initialState(), start)).toBe(1_000)
  })
})
