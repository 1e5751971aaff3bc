import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Alert } from '#libs/contracts/alert.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { HistoryEntry, Stats, Status } from '#libs/contracts/status.ts'
import { E, TE } from '#libs/fp.ts'
import { foldResult } from '../../../services/tracker/fold.ts'
import { perConnection } from '../../../services/tracker/per-connection.ts'
import type { Kept, Shelf, Trouble } from '../../../services/tracker/ports.ts'
import { recent } from '../../../services/tracker/recent.ts'
import { record } from '../../../services/tracker/record.ts'
import type { Guess, RecordPorts } from '../../../services/tracker/record.ts'
import { isEntry } from '../../../services/tracker/told.ts'
import type { Task } from '../../../services/tracker/turn.ts'
import { conn, flow, quiet, result, runId, skipped } from './samples.ts'

/** Memory with revisions; `trouble` may make any write fail, before or after it took place. */
const world = (trouble: () => 'no' | 'refused' | 'unknown' = () => 'no') => {
  let revision = 0
  let writes = 0
  const down: Trouble = { is: 'unavailable', message: 'down' }
  const write = <A>(at: Map<string, Kept<A>>, value: A, expected: number, stored: (value: A) => void = () => undefined): TE.TaskEither<Trouble, number> => () => {
    const hit = trouble()
    const wrong = (at.get('contacts')?.revision ?? 0) !== expected
    if (!wrong && hit !== 'refused') {
      at.set('contacts', { value, revision: ++revision })
      stored(value)
      writes += 1
    }
    return Promise.resolve(hit !== 'no' ? E.left(down) : wrong ? E.left({ is: 'lost-race' }) : E.right(revision))
  }
  const read = <A>(at: Map<string, Kept<A>>) => TE.fromIO((): Kept<A> => at.get('contacts') ?? { value: undefined, revision: 0 })
  const shelf = <A>(at: Map<string, Kept<A>>): Shelf<A> => ({ read: () => read(at), write: (_, value, expected) => write(at, value, expected), each: () => TE.right(undefined) })
  const status = new Map<string, Kept<Status>>()
  const stats = new Map<string, Kept<Stats>>()
  const latest = new Map<string, Kept<HistoryEntry>>()
  const entries: Array<HistoryEntry> = []
  const alerts: Array<Alert> = []
  let paused = false
  const tracker = (): RecordPorts => ({
    status: shelf(status),
    stats: shelf(stats),
    history: {
      latest: () => read(latest),
      all: () => TE.fromIO(() => [...entries]),
      append: (_, entry, expected) => write(latest, entry, expected, (one) => entries.push(one)),
    },
    guesses: recent<Guess>(10),
    isPaused: () => paused,
    alert: (alert) => void alerts.push(alert),
  })
  return {
    tracker, entries, alerts,
    status: () => status.get('contacts')?.value, stats: () => stats.get('contacts')?.value,
    writes: () => writes, pause: () => (paused = true),
  }
}

/** In the statistics, or waiting in the status for being counted. */
const countedIn = (w: ReturnType<typeof world>): ReadonlyArray<string> => [...(w.stats()?.counted ?? []), ...(w.status()?.uncounted ?? []).map(({ run }) => run)]

const tasks = (...results: ReadonlyArray<RunResult>): ReadonlyArray<Task> => results.map((one) => ({ is: 'result', result: one }))

describe('a result that is recorded', () => {
  it('stands in history, status and statistics', async () => {
    const w = world()
    expect(await record(w.tracker())('contacts', tasks(result(1)))()).toEqual(E.right(undefined))
    expect([w.entries.length, w.status()?.lastRun?.run, w.stats()?.runs]).toEqual([1, runId(1), { succeeded: 1 }])
  })
  it('is no history entry when it was quiet, and costs one write', async () => {
    const w = world()
    await record(w.tracker())('contacts', tasks(quiet(1)))()
    expect([w.entries.length, w.writes(), w.stats(), w.status()?.uncounted]).toEqual([0, 1, undefined, [{ run: runId(1), startedAt: quiet(1).startedAt, finishedAt: quiet(1).finishedAt, read: 0, unchanged: 0 }]])
  })
  it('waits in the status while it is quiet, until there are enough for a write of the statistics', async () => {
    const w = world()
    const recording = record(w.tracker())
    for (let n = 1; n <= 8; n++) await recording('contacts', tasks(quiet(n)))()
    expect([w.writes(), w.stats(), w.status()?.uncounted?.length]).toEqual([8, undefined, 8])
    await recording('contacts', tasks(quiet(9)))()
    expect([w.writes(), w.stats()?.quietRuns, w.status()?.uncounted]).toEqual([11, 9, undefined])
    await recording('contacts', tasks(quiet(10)))()
    await recording('contacts', tasks(result(11)))()
    expect([w.stats()?.runs, w.stats()?.quietRuns, w.status()?.uncounted?.length]).toEqual([{ succeeded: 10 }, 9, 1])
  })
  it('is not shown twice when a tracker broke off after it had counted what waited', async () => {
    const w = world()
    const recording = record(w.tracker())
    for (let n = 1; n <= 8; n++) await recording('contacts', tasks(quiet(n)))()
    const ports = w.tracker()
    const clears = (status: Status): boolean => status.uncounted === undefined
    const breaksOff: RecordPorts = { ...ports, status: { ...ports.status, write: (id, status, revision) => (clears(status) ? TE.left({ is: 'unavailable', message: 'down' }) : ports.status.write(id, status, revision)) } }
    expect(E.isLeft(await record(breaksOff)('contacts', tasks(quiet(9)))())).toBe(true)
    expect([w.stats()?.quietRuns, w.status()?.uncounted?.length]).toEqual([9, 9])
    await record(w.tracker())('contacts', tasks(quiet(9)))()
    expect([w.stats()?.quietRuns, w.status()?.uncounted]).toEqual([9, undefined])
  })
  it('costs two writes also together with others of its connection', async () => {
    const w = world()
    await record(w.tracker())('contacts', tasks(quiet(1), quiet(2), skipped(3), quiet(4)))()
    expect([w.writes(), w.stats()?.runs, w.status()?.uncounted?.length]).toEqual([2, { skipped: 1 }, 3])
  })
  it('shows paused when the connection is', async () => {
    const w = world()
    const recording = record(w.tracker())
    await recording('contacts', tasks(result(1)))()
    w.pause()
    await recording('contacts', [{ is: 'document' }])()
    expect(w.status()?.state).toBe('paused')
  })
  it('raises an alert when it is held or its fence went back, once', async () => {
    const w = world()
    const held = result(1, { outcome: 'held', flows: [flow({ outcome: 'held', heldBy: 'mass-delete', plan: 'p' })] })
    await record(w.tracker())('contacts', tasks(held, held, result(2, { fence: 3 })))()
    expect(w.alerts.map(({ kind }) => kind)).toEqual(['held', 'fence-regress'])
  })
  it('gives up after losing many races in a row, so that its messages come again', async () => {
    const w = world()
    const ports = w.tracker()
    const busy: RecordPorts = { ...ports, status: { ...ports.status, write: () => TE.left({ is: 'lost-race' }) } }
    expect(await record(busy)('contacts', tasks(quiet(1)))()).toEqual(E.left({ is: 'lost-race' }))
  })
})

describe('under every failure', () => {
  const runs = fc.array(fc.constantFrom('changed', 'quiet', 'failed'), { minLength: 1, maxLength: 14 })
    .map((kinds) => kinds.map((kind, i) => (kind === 'quiet' ? quiet(i + 1) : result(i + 1, { outcome: kind === 'failed' ? 'failed' : 'succeeded' }))))
  const troubles = fc.infiniteStream(fc.constantFrom('no' as const, 'no' as const, 'refused' as const, 'unknown' as const))

  type Recorder = (one: RunResult) => Promise<E.Either<Trouble, void>>
  const recorder = (ports: RecordPorts): Recorder => {
    const boxes = perConnection((id: string, batch: ReadonlyArray<Task>) => record(ports)(id, batch)())
    return (one) => boxes.submit('contacts', { is: 'result', result: one })
  }

  /** Delivered until recorded, and now and then once more, as a stream does. */
  const deliver = async (recorders: ReadonlyArray<Recorder>, one: RunResult, pick: () => number): Promise<void> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const end = await recorders[pick() % recorders.length]!(one)
      if (E.isRight(end) && pick() % 4 !== 0) return
    }
  }

  it('one tracker: every run counted once, every entry once and in order, the status as folded in order', async () => {
    await fc.assert(fc.asyncProperty(runs, troubles, fc.infiniteStream(fc.nat(100)), async (results, trouble, picks) => {
      const w = world(() => trouble.next().value as 'no' | 'refused' | 'unknown')
      const only = [recorder(w.tracker())]
      for (const one of results) await deliver(only, one, () => picks.next().value as number)
      expect([...countedIn(w)].sort()).toEqual(results.map(({ run }) => run))
      expect(w.entries.map(({ run }) => run)).toEqual(results.filter(isEntry).map(({ run }) => run))
      expect({ ...w.status(), uncounted: undefined }).toEqual({ ...results.reduce<Status | undefined>((status, one) => foldResult(status, one, false).status, undefined), uncounted: undefined })
    }), { numRuns: 300 })
  })
  it('two trackers side by side, in any order: every run counted once, every entry once', async () => {
    await fc.assert(fc.asyncProperty(runs, troubles, fc.infiniteStream(fc.nat(100)), async (results, trouble, picks) => {
      const w = world(() => trouble.next().value as 'no' | 'refused' | 'unknown')
      const two = [recorder(w.tracker()), recorder(w.tracker())]
      await Promise.all(results.map((one) => deliver(two, one, () => picks.next().value as number)))
      expect([...countedIn(w)].sort()).toEqual(results.map(({ run }) => run))
      expect(w.entries.map(({ run }) => run).sort()).toEqual(results.filter(isEntry).map(({ run }) => run))
      expect(w.status()?.lastRun?.run).toBe(results.at(-1)?.run)
    }), { numRuns: 300 })
  })
})

describe('tasks of one connection', () => {
  it('take their turns in order, and together when several wait; a turn that throws hurts only its own', async () => {
    const turns: Array<ReadonlyArray<number>> = []
    const go = Promise.withResolvers<undefined>()
    const boxes = perConnection(async (_: string, batch: ReadonlyArray<number>) => {
      turns.push(batch)
      await go.promise
      if (batch.includes(2)) throw new Error('bug')
      return batch.length
    })
    const ends = [1, 2, 3].map((n) => boxes.submit(conn(), n))
    const other = boxes.submit('other', 9)
    go.resolve(undefined)
    expect(await Promise.allSettled(ends)).toMatchObject([{ value: 1 }, { reason: { message: 'bug' } }, { reason: { message: 'bug' } }])
    expect(await other).toBe(1)
    expect(await boxes.submit(conn(), 4)).toBe(1)
    expect(turns).toEqual([[1], [9], [2, 3], [4]])
    expect(boxes.busy()).toBe(0)
  })
})
