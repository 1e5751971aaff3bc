import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import { foldProgress } from '../../../services/tracker/fold-progress.ts'
import { foldResult } from '../../../services/tracker/fold.ts'
import { foldPaused } from '../../../services/tracker/state-of.ts'
import { noCounts } from '../../../services/tracker/told.ts'
import { conn, flow, flowId, progress, quiet, result, runId, skipped } from './samples.ts'

const fold = (results: ReadonlyArray<RunResult>, from?: Status, paused = false): Status | undefined =>
  results.reduce<Status | undefined>((status, one) => foldResult(status, one, paused).status, from)

const failed = { is: 'unavailable' as const, message: 'the database is down', mend: 'start it' }

describe('the state a connection shows after one result', () => {
  const cases: ReadonlyArray<readonly [string, Partial<RunResult>, Status['state'], string | undefined]> = [
    ['succeeded', {}, 'idle', undefined],
    ['cancelled', { outcome: 'cancelled', error: { is: 'cancelled', message: 'asked for' } }, 'idle', undefined],
    ['failed', { outcome: 'failed', error: failed }, 'error', 'the database is down'],
    ['dead', { outcome: 'dead', error: { ...failed, flow: 'main' } }, 'error', 'flow main: the database is down'],
    ['partial, a flow failed', { outcome: 'partial', flows: [flow(), flow({ flow: flowId('back'), outcome: 'failed', error: failed })] }, 'error', 'flow back: the database is down'],
    ['partial, only parked records', { outcome: 'partial', flows: [flow({ outcome: 'partial', counts: { ...noCounts, parked: 1 } })] }, 'idle', undefined],
    ['partial, a flow held', { outcome: 'partial', flows: [flow(), flow({ outcome: 'held', heldBy: 'mass-delete', plan: 'abc' })] }, 'held', undefined],
    ['held', { outcome: 'held', flows: [flow({ outcome: 'held', heldBy: 'mass-delete', plan: 'abc' })] }, 'held', undefined],
    ['skipped', { outcome: 'skipped', fence: 0, flows: [] }, 'never_synced', undefined],
  ]
  it.each(cases)('%s', (_, change, state, error) => {
    const status = fold([result(1, change)])
    expect(status?.state).toBe(state)
    expect(status?.lastRun?.error).toBe(error)
  })
  it.each(cases)('%s, of a paused connection: paused', (_, change) => {
    expect(fold([result(1, change)], undefined, true)?.state).toBe('paused')
  })
})

describe('what a status remembers', () => {
  it('a skipped slot changes nothing but its note', () => {
    const before = fold([result(1)])
    expect(fold([skipped(2)], before)).toEqual({ ...before, updatedAt: 20_000, lastSkip: { at: 20_000, reason: 'busy' } })
  })
  it('the last sync, the last quiet run and the sync token', () => {
    const status = fold([result(1, { flows: [flow({ cursorAfter: 'c1', links: 3 })] }), quiet(2), result(3, { outcome: 'failed' })])
    expect(status).toMatchObject({ lastSyncAt: 25_000, lastQuietAt: 25_000, hasSyncToken: true, links: 3, lastRun: { run: runId(3) } })
  })
  it('links are the sum of the flows, and stay as they were when a flow could not tell', () => {
    const both = fold([result(1, { flows: [flow({ links: 3 }), flow({ links: 4 })] })])
    expect(both?.links).toBe(7)
    expect(fold([result(2, { flows: [flow({ links: 9 }), flow({ outcome: 'failed' })] })], both)?.links).toBe(7)
  })
  it.each([
    ['a worker that knows says how many are parked now', [result(1, { flows: [flow({ parkedNow: 4 })] })], 4],
    ['without that number a run says its own', [result(1, { flows: [flow({ counts: { ...noCounts, parked: 2 } })] })], 2],
    ['and a quiet run keeps it', [result(1, { flows: [flow({ counts: { ...noCounts, parked: 2 } })] }), quiet(2)], 2],
  ])('parked: %s', (_, results, parked) => {
    expect(fold(results)?.parked).toBe(parked)
  })
  it('a held plan outlives a run that failed, and ends with the next that did not', () => {
    const held = result(1, { outcome: 'held', flows: [flow({ outcome: 'held', heldBy: 'mass-delete', plan: 'abc' })] })
    expect(fold([held, result(2, { outcome: 'failed' })])).toMatchObject({ state: 'error', held: { plan: 'abc', by: 'mass-delete' } })
    expect(fold([held, result(2)])?.held).toBeUndefined()
    expect(fold([held, result(2, { outcome: 'cancelled' })])).toMatchObject({ state: 'idle' })
  })
  it('a dry run changes nothing but the fence', () => {
    const before = fold([result(1)])
    expect(fold([result(2, { dryRun: true, outcome: 'failed' })], before)).toEqual({ ...before, fence: 20, updatedAt: 25_000 })
  })
})

describe('a result that is stale, late or repeated', () => {
  const standing = (known: ReadonlyArray<RunResult>, next: RunResult) => {
    const before = fold(known)
    const folded = foldResult(before, next, false)
    return { standing: folded.standing, regress: folded.regress, same: folded.status === before }
  }
  it.each([
    ['the same again', [result(1)], result(1), { standing: 'seen', regress: false, same: true }],
    ['an earlier run, late', [result(2)], result(1), { standing: 'seen', regress: false, same: true }],
    ['a zombie: lower fence, same time', [result(2)], result(7, { fence: 15, startedAt: 19_000, finishedAt: 22_000 }), { standing: 'stale', regress: false, same: true }],
    ['never under a lease, later', [result(1)], result(2, { fence: 0, outcome: 'dead' }), { standing: 'new', regress: false, same: false }],
    ['never under a lease, earlier', [result(2)], result(1, { fence: 0, outcome: 'dead' }), { standing: 'seen', regress: false, same: true }],
    ['a later run with a lower fence', [result(5)], result(6, { fence: 3 }), { standing: 'new', regress: true, same: false }],
    ['a later run with the same fence', [result(5)], result(6, { fence: 50 }), { standing: 'new', regress: true, same: false }],
    ['a dry run again', [result(1), result(2, { dryRun: true })], result(2, { dryRun: true }), { standing: 'seen', regress: false, same: true }],
    ['a skip again', [result(1), skipped(2)], skipped(2), { standing: 'seen', regress: false, same: true }],
  ] as const)('%s', (_, known, next, expected) => {
    expect(standing(known, next)).toEqual(expected)
  })
  it('a redelivered run with a newer lease keeps the highest fence', () => {
    expect(fold([result(1), result(1, { fence: 12, quiet: true })])).toEqual({ ...fold([result(1)]), fence: 12 })
  })
  it('a regress shows as an error and keeps the highest fence', () => {
    expect(fold([result(5), result(6, { fence: 3 })])).toMatchObject({ state: 'error', fence: 50, lastRun: { outcome: 'succeeded' } })
  })
})

describe('laws of the fold', () => {
  const histories = fc.array(fc.record({
    kind: fc.constantFrom('succeeded', 'partial', 'failed', 'dead', 'cancelled', 'held', 'skipped'),
    quiet: fc.boolean(), links: fc.option(fc.nat(50), { nil: undefined }),
  }), { minLength: 1, maxLength: 12 }).map((runs) => runs.map(({ kind, quiet: isQuiet, links }, i): RunResult =>
    kind === 'skipped' ? skipped(i + 1) : result(i + 1, { outcome: kind as RunResult['outcome'], quiet: isQuiet, flows: [flow(links === undefined ? {} : { links })] })))

  it('folding anything twice is folding it once', () => {
    fc.assert(fc.property(histories, (runs) => {
      expect(fold(runs.flatMap((run) => [run, run]))).toEqual(fold(runs))
      expect(fold(runs, fold(runs))).toEqual(fold(runs))
    }), { examples: [[[result(1), skipped(2)]]] })
  })
  it('earlier results that arrive late change nothing, in whatever order', () => {
    fc.assert(fc.property(histories, fc.infiniteStream(fc.nat()), (runs, order) => {
      const late = runs.map((run) => ({ run, at: order.next().value })).sort((a, b) => a.at - b.at).map(({ run }) => run)
      expect(fold(late, fold(runs))).toEqual(fold(runs))
    }))
  })
  it('the fence never goes back, and only the flag makes it paused', () => {
    fc.assert(fc.property(histories, fc.boolean(), (runs, paused) => {
      let fence = 0
      let status: Status | undefined
      for (const run of runs) {
        status = foldResult(status, run, paused).status
        expect(status.fence).toBeGreaterThanOrEqual(fence)
        expect(status.state === 'paused').toBe(paused)
        fence = status.fence
      }
    }))
  })
  it('pausing and resuming gives the state back', () => {
    fc.assert(fc.property(histories, (runs) => {
      const status = fold(runs)
      if (status === undefined) return
      expect(foldPaused(status, true).state).toBe('paused')
      expect(foldPaused(foldPaused(status, true), false)).toEqual(status)
      expect(foldPaused(status, false)).toBe(status)
    }))
  })
})

describe('progress', () => {
  const before = fold([result(1)])
  it.each([
    ['of a run younger than a second leaves no mark', progress(2, { at: 20_900 }), undefined],
    ['of a longer run shows it', progress(2), { run: runId(2), state: 'in-progress', since: 20_000 }],
    ['of a retry shows it at once, with its time', progress(2, { at: 20_100, state: 'retrying', nextAttemptAt: 30_000 }), { state: 'retrying', nextAttemptAt: 30_000 }],
    ['of a deferral shows it as queued', progress(2, { at: 20_100, state: 'deferred', nextAttemptAt: 90_000 }), { state: 'queued' }],
    ['of a run that has ended is too late', progress(1), undefined],
    ['of an earlier run is too late', progress(0, { at: 99_000 }), undefined],
  ])('%s', (_, heard, running) => {
    const after = foldProgress(before, heard, false)
    if (running === undefined) expect(after).toBe(before)
    else expect(after.running).toMatchObject(running)
  })
  it('syncing while it runs, or waits for its next attempt; not while it is deferred', () => {
    expect(foldProgress(before, progress(2), false).state).toBe('syncing')
    expect(foldProgress(before, progress(2, { state: 'retrying' }), false).state).toBe('syncing')
    expect(foldProgress(before, progress(2, { state: 'deferred' }), false).state).toBe('idle')
    expect(foldProgress(undefined, progress(2), true).state).toBe('paused')
  })
  it('is marked once a second at most, unless its state changes', () => {
    const marked = foldProgress(before, progress(2, { at: 22_000 }), false)
    expect(foldProgress(marked, progress(2, { at: 22_900 }), false)).toBe(marked)
    expect(foldProgress(marked, progress(2, { at: 21_000, state: 'retrying' }), false)).toBe(marked)
    expect(foldProgress(marked, progress(2, { at: 22_100, state: 'retrying' }), false).running?.state).toBe('retrying')
    expect(foldProgress(marked, progress(2, { at: 23_000 }), false).running?.progress?.at).toBe(23_000)
  })
  it('ends with the result, and only with that of its own run or a later one', () => {
    const marked = foldProgress(before, progress(3), false)
    expect(fold([result(3)], marked)?.running).toBeUndefined()
    expect(fold([result(4)], marked)?.running).toBeUndefined()
    expect(fold([result(2)], marked)?.running?.run).toBe(runId(3))
    expect(fold([skipped(3, { run: 'other' })], marked)?.running?.run).toBe(runId(3))
  })
})

it('a connection nobody has heard of has safe defaults', () => {
  expect(foldProgress(undefined, progress(1, { at: 10_001 }), false)).toEqual({ conn: conn(), state: 'never_synced', fence: 0, parked: 0, hasSyncToken: false, updatedAt: 0 })
})
