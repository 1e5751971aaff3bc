/** Hand-made histories: what holds must pass, what is broken must be caught by its own invariant, with a short trace. */
import { describe, expect, it } from 'vitest'
import type { HistoryRecord } from '../history.ts'
import { check } from './check.ts'
import type { InvariantName } from './invariant.ts'
import { archived, begin, checkpoint, dead, died, finals, held, judged, lease, letter, nemesis, op, paired, parked, phase, read, result, trigger, wrote } from './records.ts'
import { tell } from './tell.ts'

type History = ReadonlyArray<HistoryRecord>
type Options = Parameters<typeof judged>[2]
type Good = readonly [says: string, history: History, options?: Options]
/** `trace`: at most so many records show it. */
type Bad = readonly [says: string, message: RegExp, trace: number, history: History, options?: Options]

const oneWay = { paired: paired({ direction: 'one-way' }) }
const poison: HistoryRecord = { is: 'poison', at: 1, conn: 'c1', key: 'k', what: 'a refused item' }
const logged = (text: string): HistoryRecord => ({ is: 'log', at: 5, process: 'w1', event: 'run.ended', level: 'info', raw: { text } })
const memory = (mib: number): HistoryRecord => ({ is: 'memory', at: 5, process: 'w1', rssBytes: mib * 1_048_576 })
const left = (stream: string, messages: number): HistoryRecord => ({ is: 'final-stream', at: 9, stream, messages, bytes: 0, subjects: ['sync.work.hot.c1'] })
const sidecar = (order: number, fence: number, cursor: string | null = null): HistoryRecord => ({ is: 'sidecar', at: order, order, conn: 'c1', flow: 'main', fence, before: null, cursor, raw: {} })

const cases: Readonly<Record<InvariantName, { readonly good: ReadonlyArray<Good>; readonly bad: ReadonlyArray<Bad> }>> = {
  I1: {
    good: [
      ['a value that came over', [op(10, 'A', 'k', 'w1-1'), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
      ['replaced by who saw it on the other side', [op(10, 'A', 'k', 'w1-1'), op(90, 'B', 'k', 'w2-1', { before: 'w1-1' }), ...finals({ k: 'w2-1' }, { k: 'w2-1' })]],
      ['deleted by who saw it', [op(10, 'A', 'k', 'w1-1'), op(90, 'A', 'k', null, { before: 'w1-1' }), ...finals({}, {})]],
      ['a conflict whose loser is in the archive', [op(10, 'A', 'k', 'w1-1', { before: 'seed-1' }), op(11, 'B', 'k', 'w2-1', { before: 'seed-1' }), archived('w2-1'), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
      ['an op of unknown outcome that never was', [op(5, 'A', 'k', 'w1-0'), op(10, 'A', 'k', 'w1-1', { result: 'unknown', before: 'w1-0' }), ...finals({ k: 'w1-0' }, { k: 'w1-0' })]],
      ['replaced, perhaps, by an op of unknown outcome', [op(5, 'A', 'k', 'w1-0'), op(10, 'A', 'k', 'w1-1', { result: 'unknown', before: 'w1-0' }), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
      ['replaced on the spot by who did not look', [op(5, 'A', 'k', 'w1-0'), op(10, 'A', 'k', 'w1-1'), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
    ],
    bad: [
      ['a conflict whose loser is nowhere', /w2-1 was acknowledged/, 4, [op(10, 'A', 'k', 'w1-1', { before: 'seed-1' }), op(11, 'B', 'k', 'w2-1', { before: 'seed-1' }), wrote(50, 'B', 'UPDATE', 'k', 'w1-1', { was: 'w2-1' }), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
      ['a value that was overwritten by an older one', /w1-1 was acknowledged/, 4, [op(10, 'A', 'k', 'w1-1', { before: 'seed-1' }), wrote(50, 'A', 'UPDATE', 'k', 'seed-1', { was: 'w1-1' }), ...finals({ k: 'seed-1' }, { k: 'seed-1' })]],
      ['an item that was deleted after it was edited', /w1-1 was acknowledged/, 2, [op(10, 'A', 'k', 'w1-1', { before: 'seed-1' }), wrote(50, 'A', 'DELETE', 'k', null, { was: 'w1-1' }), ...finals({}, {})]],
      ['a value that was put back to the one it replaced, with an archive', /w1-2 of k of c1 was put back at side B to w1-1/, 2, [op(10, 'A', 'k', 'w1-2', { before: 'w1-1' }), wrote(20, 'B', 'UPDATE', 'k', 'w1-2', { was: 'w1-1' }), wrote(30, 'B', 'UPDATE', 'k', 'w1-1', { was: 'w1-2' }), archived('w1-2'), ...finals({ k: 'w1-2' }, { k: 'w1-1' })]],
      ['the archive of another connection', /w1-1/, 1, [op(10, 'A', 'k', 'w1-1'), { ...archived('w1-1'), conn: 'c2' }, ...finals({}, {})]],
    ],
  },
  I2: {
    good: [
      ['created once on each side', [wrote(5, 'B', 'CREATE', 'k', 'w1-1'), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]],
      ['created again after it was deleted', [wrote(5, 'B', 'CREATE', 'k', 'w1-1'), wrote(7, 'B', 'DELETE', 'k', null), wrote(9, 'B', 'CREATE', 'k', 'w1-2')]],
      ['created again after a client deleted it', [wrote(5, 'B', 'CREATE', 'k', 'w1-1'), op(7, 'B', 'k', null), wrote(9, 'B', 'CREATE', 'k', 'w1-2')]],
      ['a create that met its own item', [wrote(5, 'B', 'CREATE', 'k', 'w1-1', { status: 0 }), wrote(9, 'B', 'CREATE', 'k', 'w1-1', { status: 412, applied: false })]],
      ['a merge that changes another field', [wrote(1, 'B', 'CREATE', 'k', 'w1-1'), wrote(5, 'B', 'UPDATE', 'k', 'w1-1', { was: 'w1-1' })], { paired: paired({ strategy: 'merge' }) }],
    ],
    bad: [
      ['two items of one identity', /stands 2 times/, 2, [...finals({ k: 'w1-1' }, { k: 'w1-1' }), { is: 'final', at: 9, conn: 'c1', side: 'B', key: 'k', remoteId: 'another', value: 'w1-1' }]],
      ['created twice', /created 2 times/, 2, [wrote(5, 'B', 'CREATE', 'k', 'w1-1', { remoteId: 'x' }), wrote(9, 'B', 'CREATE', 'k', 'w1-1', { remoteId: 'y' })]],
      ['written although it was there', /showed w1-1 already/, 1, [wrote(5, 'B', 'UPDATE', 'k', 'w1-1', { was: 'w1-1' })]],
    ],
  },
  I3: {
    good: [
      ['equal sides', finals({ k: 'w1-1', l: 'w1-2' }, { k: 'w1-1', l: 'w1-2' })],
      ['a parked item differs', [parked('k'), ...finals({ k: 'w1-1', l: 'x' }, { l: 'x' })]],
      ['an item in conflict differs', [{ is: 'final-link', at: 9, conn: 'c1', flow: 'main', linkKey: 'l', state: 'conflict', raw: { key: 'k' } }, ...finals({ k: 'w1-1', l: 'x' }, { k: 'w2-1', l: 'x' })]],
      ['the destination of a one-way flow was touched', [op(5, 'B', 'k', 'w2-1'), ...finals({ k: 'w1-1', l: 'x' }, { k: 'w2-1', l: 'x' })], oneWay],
    ],
    bad: [
      ['other values', /w1-1 on side A and w1-0 on side B/, 2, finals({ k: 'w1-1' }, { k: 'w1-0' })],
      ['missing on one side', /not there on side B/, 1, finals({ k: 'w1-1' }, {})],
      ['a copy left over in a one-way flow', /not there on side A/, 1, finals({}, { k: 'w1-1' }), oneWay],
    ],
  },
  I4: {
    good: [['quiet rounds', [wrote(5, 'B', 'UPDATE', 'k', 'w1-1'), phase(10, 'silence', 1), result(12), phase(20, 'silence', 2), result(22), phase(30, 'end')]]],
    bad: [
      ['a write in the second round', /UPDATE of k/, 1, [phase(10, 'silence', 1), result(12), phase(20, 'silence', 2), wrote(21, 'B', 'UPDATE', 'k', 'w1-1'), result(22)]],
      ['a write that was refused', /CREATE of k/, 1, [phase(10, 'silence', 1), wrote(11, 'B', 'CREATE', 'k', 'w1-1', { status: 412, applied: false }), result(12)]],
    ],
  },
  I5: {
    good: [
      ['a deletion that was followed', [op(5, 'A', 'k', 'w1-1', { kind: 'create' }), op(20, 'A', 'k', null), wrote(30, 'B', 'DELETE', 'k', null)]],
      ['an op that perhaps deleted it', [op(20, 'A', 'k', null, { result: 'unknown' }), wrote(30, 'B', 'DELETE', 'k', null)]],
      ['deleted, then made again after the engine had looked', [op(20, 'A', 'k', null), read(25, 'A', 's.1.3', 's.1.4'), op(27, 'A', 'k', 'w1-2', { kind: 'create' }), wrote(30, 'B', 'DELETE', 'k', null)]],
    ],
    bad: [
      ['nobody had deleted it', /nobody had deleted it at side A/, 2, [op(5, 'A', 'k', 'w1-1'), wrote(30, 'B', 'DELETE', 'k', null)]],
      ['deleted only later', /nobody had deleted it at side A/, 1, [wrote(30, 'B', 'DELETE', 'k', null), op(40, 'A', 'k', null)]],
      ['another item was deleted', /nobody had deleted it/, 1, [op(5, 'A', 'other', null), wrote(30, 'B', 'DELETE', 'k', null)]],
      ['made again, and seen', /showed it again/, 4, [op(5, 'A', 'k', null), op(10, 'A', 'k', 'w1-2', { kind: 'create' }), read(25, 'A', 's.1.3', 's.1.4'), wrote(30, 'B', 'DELETE', 'k', null)]],
      ['at the source of a one-way flow', /source of a one-way flow/, 2, [op(5, 'B', 'k', null), wrote(30, 'A', 'DELETE', 'k', null)], oneWay],
      ['before there was a base', /before the first checkpoint/, 2, [op(5, 'A', 'k', null), wrote(30, 'B', 'DELETE', 'k', null), checkpoint(500, 9, 7, 8)]],
    ],
  },
  I6: {
    good: [
      ['two runs, each under its lease', [lease(1, 1, 'w1'), checkpoint(2, 2, 1, 1), lease(3, 3, 'w1', 1), checkpoint(4, 4, 1, 3), lease(5, 5, null), lease(6, 6, 'w2'), checkpoint(7, 7, 6, 6)]],
      ['a commit in one batch with the renewal', [lease(1, 1, 'w1'), { ...checkpoint(2, 2, 1, null), headers: { 'Nats-Batch-Id': 'b' } }, { ...lease(2, 3, 'w1', 1), headers: { 'Nats-Batch-Id': 'b', 'Nats-Expected-Last-Subject-Sequence': '1' } }]],
      ['a lease whose first answer was lost', [lease(1, 1, 'w1'), lease(2, 2, 'w1'), checkpoint(3, 3, 2, 2)]],
      ['a sidecar that moves on', [sidecar(1, 5), sidecar(2, 5), sidecar(3, 9)]],
      ['what was not heard proves nothing', [lease(1, 1, 'w1'), checkpoint(9, 7, 5, 6)]],
    ],
    bad: [
      ['a commit of a run that was overtaken', /fence 1 was accepted after one with 3/, 2, [lease(1, 1, 'w1'), lease(2, 2, null), lease(3, 3, 'w2'), checkpoint(4, 4, 3, 3), checkpoint(5, 5, 1, 3)]],
      ['a commit under a lease that is somebody else\'s', /while the lease was held with fence 2/, 2, [lease(1, 1, 'w1'), lease(2, 2, 'w2'), checkpoint(3, 3, 1, 2)]],
      ['a commit when the lease was free', /while the lease was free/, 2, [lease(1, 1, 'w1'), lease(2, 2, null), checkpoint(3, 3, 1, 2)]],
      ['a commit without any condition', /whoever held the lease/, 1, [lease(1, 1, 'w1'), checkpoint(2, 2, 1, null)]],
      ['a batch without a condition', /whoever held the lease/, 1, [lease(1, 1, 'w1'), { ...checkpoint(2, 2, 1, null), headers: { 'Nats-Batch-Id': 'b' } }, { ...lease(2, 3, 'w1', 1), headers: { 'Nats-Batch-Id': 'b' } }]],
      ['a cursor that goes back inside a run', /cursorA of c1 went back/, 2, [lease(1, 1, 'w1'), checkpoint(2, 2, 1, 1, { a: 's.1.9' }), checkpoint(3, 3, 1, 1, { a: 's.1.4' })]],
      ['a sidecar that goes back', /from fence 9 back to 5/, 2, [sidecar(1, 9), sidecar(2, 5)]],
    ],
  },
  I7: {
    good: [
      ['versions expected', [wrote(1, 'A', 'CREATE', 'k', 'w1-1'), wrote(2, 'A', 'UPDATE', 'k', 'w1-2'), wrote(3, 'A', 'DELETE', 'k', null)]],
      ['what an audit does not show', [wrote(1, 'A', 'UPDATE', 'k', 'w1-1'), { is: 'remote', at: 2, by: 'audit', conn: 'c1', side: 'B', verb: 'UPDATE', key: 'k', value: 'w1-1', status: 200, applied: true }]],
      ['a side that has no versions', [wrote(1, 'A', 'UPDATE', 'k', 'w1-1'), wrote(2, 'B', 'UPDATE', 'k', 'w1-1', { precondition: null })], { paired: paired({ B: { kind: 'folder', strong: false, transactional: false } }) }],
    ],
    bad: [
      ['an update over anything', /UPDATE of k .* without a precondition/, 1, [wrote(1, 'A', 'UPDATE', 'k', 'w1-1', { precondition: null })]],
      ['an update that only wants something to be there', /UPDATE of k/, 1, [wrote(1, 'A', 'UPDATE', 'k', 'w1-1', { precondition: '*' })]],
      ['a delete, though it did nothing', /DELETE of k/, 1, [wrote(1, 'A', 'DELETE', 'k', null, { precondition: null, applied: false, status: 404 })]],
      ['a create over anything', /CREATE of k/, 1, [wrote(1, 'A', 'CREATE', 'k', 'w1-1', { precondition: null })]],
    ],
  },
  I8: {
    good: [
      ['written before the cursor is stored', [op(5, 'A', 'k', 'w1-1'), read(10, 'A', 's.1.1', 's.1.2'), wrote(20, 'B', 'UPDATE', 'k', 'w1-1'), checkpoint(100, 4, 1, 1, { a: 's.1.2' })]],
      ['deleted before the cursor is stored', [op(2, 'A', 'k', 'w1-0'), wrote(4, 'B', 'CREATE', 'k', 'w1-0'), op(5, 'A', 'k', null), read(10, 'A', 's.1.1', 's.1.2'), wrote(20, 'B', 'DELETE', 'k', null), checkpoint(100, 4, 1, 1, { a: 's.1.2' })]],
      ['made while the pages were read', [op(2, 'A', 'j', 'w1-0'), op(15, 'A', 'k', 'w1-1'), read(10, 'A', null, 'l.1.2.x', false), read(20, 'A', 'l.1.2.x', 's.1.2'), wrote(30, 'B', 'CREATE', 'j', 'w1-0'), checkpoint(100, 4, 1, 1, { a: 's.1.2' })]],
    ],
    bad: [
      ['never written', /passed w1-1 of k/, 3, [op(5, 'A', 'k', 'w1-1'), read(10, 'A', 's.1.1', 's.1.2'), checkpoint(100, 4, 1, 1, { a: 's.1.2' })]],
      ['written only afterwards', /passed w1-1 of k/, 3, [op(5, 'A', 'k', 'w1-1'), read(10, 'A', 's.1.1', 's.1.2'), checkpoint(100, 4, 1, 1, { a: 's.1.2' }), wrote(400, 'B', 'UPDATE', 'k', 'w1-1')]],
      ['a deletion that was not followed', /passed the deletion of k/, 4, [op(2, 'A', 'k', 'w1-0'), wrote(4, 'B', 'CREATE', 'k', 'w1-0'), op(5, 'A', 'k', null), read(10, 'A', 's.1.1', 's.1.2'), checkpoint(100, 4, 1, 1, { a: 's.1.2' })]],
      ['in the sidecar of a destination', /passed w1-1 of k/, 3, [op(5, 'A', 'k', 'w1-1'), read(10, 'A', 's.1.1', 's.1.2'), sidecar(100, 1, 's.1.2')]],
      ['of the other side', /passed w1-1 of k/, 3, [op(5, 'B', 'k', 'w1-1'), read(10, 'B', 's.1.1', 's.1.2'), checkpoint(100, 4, 1, 1, { b: 's.1.2' })]],
    ],
  },
  I9: {
    good: [
      ['a request that came to a run', [trigger(5), result(9), left('SYNC_WORK', 0), left('SYNC_REQUESTS', 0)]],
      ['poison in the dead letters', [poison, parked('k')]],
      ['attempts used up', [letter(5)]],
    ],
    bad: [
      ['a request nothing came of', /nothing ever came of request 7/, 1, [result(2), trigger(500)]],
      ['a work item that is stuck', /stuck in SYNC_WORK/, 1, [left('SYNC_WORK', 1)]],
      ['poison that is nowhere', /is not in the dead letters/, 1, [poison]],
      ['poison that is there twice', /2 times/, 2, [poison, parked('k'), parked('k')]],
      ['a letter too early', /after 2 attempts/, 1, [letter(2)]],
    ],
  },
  I10: {
    good: [
      ['silence kept', [wrote(5, 'A', 'UPDATE', 'k', 'w1-1', { status: 429, applied: false, retryAfterMs: 10_000 }), read(5_000, 'B', null, 's.1.1'), read(10_100, 'A', null, 's.1.1')]],
      ['under way when it was asked for', [read(5, 'A', null, 's.1.1'), wrote(6, 'A', 'UPDATE', 'k', 'w1-1', { status: 429, applied: false, retryAfterMs: 10_000 }), read(900, 'A', null, 's.1.1')]],
      ['within the attempts and the memory', [result(1, { attempt: 5 }), memory(200)]],
    ],
    bad: [
      ['asked again too early', /after the provider had asked for 10000 ms/, 2, [wrote(5, 'A', 'UPDATE', 'k', 'w1-1', { status: 429, applied: false, retryAfterMs: 10_000 }), read(6_000, 'A', null, 's.1.1')]],
      ['tried too often', /tried 6 times/, 1, [result(1, { attempt: 6 })]],
      ['too much memory', /took 600 MiB/, 1, [memory(200), memory(600)]],
    ],
  },
  I11: {
    good: [
      ['converged', [phase(10, 'heal'), phase(20, 'converged'), phase(30, 'end')]],
      ['played again in time', [held(10, 3_100, 'w1', 1, 'expiry'), died(100, 'w1'), held(3_200, null, 'w2', 3, 'open'), phase(20_000, 'load')]],
      ['late, because NATS was away', [held(10, 3_100, 'w1', 1, 'expiry'), died(100, 'w1'), ...nemesis(1, 50, 15_000, 'kill-nats', 'nats'), held(16_000, null, 'w2', 3, 'open'), phase(10, 'heal'), phase(20, 'converged'), phase(20_000, 'end')]],
      ['given back before it died', [held(10, 50, 'w1', 1, 'release'), died(100, 'w1'), phase(10, 'heal'), phase(20, 'converged'), phase(20_000, 'end')]],
    ],
    bad: [
      ['never converged', /did not converge/, 2, [phase(10, 'heal'), phase(30, 'end')]],
      ['too late', /not played again/, 3, [held(10, 3_100, 'w1', 1, 'expiry'), died(100, 'w1'), held(9_000, null, 'w2', 3, 'open'), phase(20_000, 'load')]],
      ['never again', /not played again/, 2, [held(10, null, 'w1', 1, 'open'), died(100, 'w1'), phase(20_000, 'load')]],
    ],
  },
  I12: {
    good: [['counts and names', [op(1, 'A', 'k', 'w1-1'), logged('3 items of c1')]], ['content in the archive', [op(1, 'A', 'k', 'w1-1'), logged('x'), archived('w1-1')]]],
    bad: [
      ['content in a log', /the content w1-1 stands/, 1, [op(1, 'A', 'k', 'w1-1'), logged('cannot write "w1-1"')]],
      ['content in a result', /the content w1-1 stands/, 1, [op(1, 'A', 'k', 'w1-1'), result(2, { error: { message: 'w1-1 is not good' } })]],
      ['a secret in a dead letter', /a secret stands/, 1, [dead(1, 'x', { attempts: [], why: 'postgres://u:hunter2@db' })], { canaries: ['hunter2'] }],
    ],
  },
}

describe.each(Object.entries(cases))('%s', (name, { good, bad }) => {
  for (const [says, history, options] of good) it(`holds: ${says}`, () => {
    expect(judged(name as InvariantName, history, options)).toMatchObject({ standing: 'holds', violations: [] })
  })
  for (const [says, message, trace, history, options] of bad) it(`is violated: ${says}`, () => {
    const { standing, violations } = judged(name as InvariantName, history, options)
    expect(standing).toBe('violated')
    expect(violations.map((one) => one.message)).toEqual(expect.arrayContaining([expect.stringMatching(message)]))
    const found = violations.find((one) => message.test(one.message))
    expect(found?.trace.length).toBeLessThanOrEqual(trace)
    expect(found?.trace).not.toEqual([])
  })
})

describe('a verdict', () => {
  const quiet = [begin, paired(), op(10, 'A', 'k', 'w1-1'), ...finals({ k: 'w1-1' }, { k: 'w1-1' })]

  it('is ok when nothing is violated, and says what it could not look at', () => {
    const verdict = check(quiet)
    expect(verdict.verdict).toBe('ok')
    expect(verdict.invariants.map(({ name }) => name)).toEqual(Object.keys(cases))
    expect(verdict.invariants.find(({ name }) => name === 'I5')).toMatchObject({ standing: 'not checked', checked: 0 })
  })

  it('of an empty history is that nothing was checked, never that anything holds', () => {
    expect(check([]).invariants.map(({ standing }) => standing)).toEqual(Object.keys(cases).map(() => 'not checked'))
  })

  it('is unknown when more than a fifth of the ops is', () => {
    const unknown = (n: number) => Array.from({ length: n }, (_, i) => op(20 + i, 'A', `u${i}`, `w9-${i}`, { result: 'unknown' }))
    const known = Array.from({ length: 3 }, (_, i) => op(15, 'A', 'k', 'w1-1', { key: `k${i}`, value: `w2-${i}`, result: 'fail' }))
    expect(check([...quiet, ...known, ...unknown(1)]).verdict).toBe('ok')
    expect(check([...quiet, ...known, ...unknown(2)]).verdict).toBe('unknown')
  })

  it('is a violation all the same when something is violated', () => {
    const unknown = [op(20, 'A', 'u', 'w9-1', { result: 'unknown' }), op(21, 'A', 'u', 'w9-2', { result: 'unknown' })]
    expect(check([begin, paired(), op(10, 'A', 'k', 'w1-1'), ...unknown, ...finals({}, {})]).verdict).toBe('violation')
  })

  it('does not depend on the order in which things were written down', () => {
    for (const { good, bad } of Object.values(cases)) {
      for (const [history, options] of [...good.map(([, ...rest]) => rest), ...bad.map(([, , , ...rest]) => rest)]) {
        const whole = [begin, options?.paired ?? paired(), ...history]
        const standings = (records: History) => check(records, options?.canaries).invariants.map(({ name, standing }) => `${name} ${standing}`)
        expect(standings([...whole].reverse())).toEqual(standings(whole))
      }
    }
  })

  it('is told in a line for each invariant, with what is wrong below', () => {
    const text = tell(check([begin, paired(), op(10, 'A', 'k', 'w1-1'), ...finals({}, {})]))
    expect(text).toMatch(/^verdict: violation\n {2}I1 {3}violated/)
    expect(text).toMatch(/I5 {3}not checked/)
    expect(text).toMatch(/I1: w1-1 was acknowledged[^\n]*\n {4}\{"is":"op"/)
  })
})
