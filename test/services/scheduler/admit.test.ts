import { describe, expect, it } from 'vitest'
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { Status } from '#libs/contracts/status.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { OperatorQuestion, TriggerQuestion } from '#libs/contracts/trigger.ts'
import type { ConnectionId, FlowId, RunId } from '#libs/domain/ids.ts'
import { admitRequest, answerBusy, isOperators, keepMs, leavesSidesAlone, notBeforeOf, requestOfQuestion, servedBy, wishesOf, workOfQuestion, workOfRequest, workOfSaying, type Heard } from '../../../services/scheduler/admit.ts'
import type { Watched } from '../../../services/scheduler/due.ts'

const now = 1_790_000_000_000
const watched: Watched = { conn: 'contacts' as ConnectionId, schedule: { kind: 'manual' }, lane: 'cold', paused: false, revision: 7 }
const run = '01KBM6J9QQQQQQQQQQQQQQQQQQ' as RunId
const minted = { run, token: 'unguessable', now }
const heard = (request: SyncRequest = {}, more: Partial<Heard> = {}): Heard => ({ seq: 12, storedAt: now, deliveries: 1, request, notBefore: undefined, ...more })

describe('a request out of the mailbox', () => {
  it.each([
    ['runs', watched, heard(), { is: 'run' }],
    ['runs when its time has come', watched, heard({}, { notBefore: now }), { is: 'run' }],
    ['waits for its time', watched, heard({}, { notBefore: now + 90_000 }), { is: 'later', ms: 90_000 }],
    ['is looked at once a day while it waits', watched, heard({}, { notBefore: now + 1e12 }), { is: 'later', ms: 86_400_000 }],
    ['ends at a paused connection, also when it could wait', { ...watched, paused: true }, heard({}, { notBefore: now + 1 }), { is: 'paused' }],
    ['ends at a connection nobody knows', undefined, heard(), { is: 'unknown' }],
  ])('%s', (_, known, request, expected) => {
    expect(admitRequest(known, request, now)).toEqual(expected)
  })

  it.each([
    [undefined, undefined],
    [1_790_000_000_123, 1_790_000_000_123],
    ['2026-09-21T16:13:20Z', Date.UTC(2026, 8, 21, 16, 13, 20)],
    ['2026-09-21T18:13:20.5+02:00', Date.UTC(2026, 8, 21, 16, 13, 20, 500)],
    ['tomorrow', null],
    ['2026-09-21', null],
    ['2026-13-41T99:00:00Z', null],
  ])('reads notBefore %j as %j', (notBefore, expected) => {
    expect(notBeforeOf(notBefore === undefined ? {} : { notBefore })).toBe(expected)
  })

  it('becomes work under its own sequence, in the lane of its connection, with no more than it may wish', () => {
    const hostile = { reason: 'x'.repeat(9_999), lane: 'hot', conn: 'other', approved: 'abc', force: true, mode: 'full' } as SyncRequest
    const { item, msgId } = workOfRequest(watched, heard(hostile), minted)
    expect(msgId).toBe('req:12')
    expect(WorkItem.codec.is(item)).toBe(true)
    expect(item).toEqual({ conn: 'contacts', run, trigger: 'unguessable', cause: 'manual', lane: 'cold', revision: 7, askedAt: now, requestSeq: 12, mode: 'full', reason: 'x'.repeat(500) })
  })

  it('keeps the run id its asker follows, its cause and what it redrives', () => {
    const theirs = '01KBM6J9ZZZZZZZZZZZZZZZZZZ' as RunId
    expect(workOfRequest(watched, heard({ run: theirs, cause: 'redrive', redriveOf: 4 }), minted).item).toMatchObject({ run: theirs, cause: 'redrive', redriveOf: 4 })
  })
})

describe('a request that meets a busy connection', () => {
  const status = (startedAt: number, outcome: 'succeeded' | 'failed' | 'partial' = 'succeeded'): Status => ({
    conn: watched.conn, state: 'idle', fence: 1, parked: 0, hasSyncToken: true, updatedAt: now, lastRun: { run: 'R', outcome, startedAt, finishedAt: startedAt + 1 },
  })
  it.each<[string, SyncRequest, Status | undefined, string | undefined]>([
    ['is kept while nothing has run since', {}, status(now - 1), undefined],
    ['is kept when there is no status yet', {}, undefined, undefined],
    ['is kept when the clocks might differ by that much', {}, status(now + 4_000), undefined],
    ['is served by a run that began well after it', {}, status(now + 6_000), 'R'],
    ['is served by a partial run too', {}, status(now + 6_000, 'partial'), 'R'],
    ['is not served by a run that failed', {}, status(now + 6_000, 'failed'), undefined],
    ['waits for its own run when it wishes a full one', { mode: 'full' }, status(now + 6_000), undefined],
    ['waits for its own run when it is a dry run', { dryRun: true }, status(now + 6_000), undefined],
    ['waits for its own run when it redrives', { redriveOf: 3 }, status(now + 6_000), undefined],
    ['waits for its own run when somebody follows it', { run }, status(now + 6_000), undefined],
    ['is served when it was a deferral, whatever its run', { run, cause: 'deferral' }, status(now + 6_000), 'R'],
  ])('%s', (_, request, known, expected) => {
    expect(servedBy(heard(request), known)).toBe(expected)
  })

  it('is looked at again after one second, later after five', () => {
    expect([1, 2, 5, 50].map((deliveries) => keepMs(heard({}, { deliveries })))).toEqual([1_000, 2_000, 5_000, 5_000])
  })
})

describe('a tick', () => {
  it('is known by its slot, a first sync by the document, a question by nothing one could guess', () => {
    expect(workOfSaying({ say: 'tick', watched, slot: 99, due: 100 }, minted)).toMatchObject({ msgId: 'contacts@99', item: { cause: 'tick', slot: 99 } })
    expect(workOfSaying({ say: 'first', watched, due: 100 }, minted)).toMatchObject({ msgId: 'contacts@first-7', item: { cause: 'first' } })
    expect(workOfQuestion(watched, { dryRun: true }, minted)).toMatchObject({ msgId: 'unguessable', item: { cause: 'manual', dryRun: true } })
  })
})

describe('what only an operator may ask', () => {
  it.each<[string, OperatorQuestion, object]>([
    ['an approval', { approve: 'p', by: 'ada' }, { approved: 'p', by: 'ada' }],
    ['a restore', { restore: 7 }, { restore: 7 }],
    ['a reset of one flow, to be shown only', { reset: 'links', flow: 'main' as FlowId, dryRun: true }, { reset: 'links', flow: 'main', dryRun: true }],
    ['an undo, with its reason', { undo: run, reason: 'oops' }, { undo: run, reason: 'oops' }],
  ])('travels in the work item: %s', (_, question, wish) => {
    const { item } = workOfQuestion(watched, question, minted)
    expect(item).toMatchObject({ cause: 'manual', ...wish })
    expect([isOperators(question), wishesOf(question)]).toEqual([true, 1])
  })

  it('is not taken from a request, whatever stands in it', () => {
    const sneaky = heard({ mode: 'full', reset: 'links', undo: run, restore: 7, approve: 'p', approved: 'p', by: 'eve' } as SyncRequest)
    expect(Object.keys(workOfRequest(watched, sneaky, minted).item)).toEqual(['conn', 'run', 'trigger', 'cause', 'lane', 'revision', 'askedAt', 'requestSeq', 'mode'])
    expect(Object.keys(requestOfQuestion({ reset: 'links', undo: run, mode: 'full' } as TriggerQuestion, run))).toEqual(['run', 'cause', 'mode'])
  })

  it('is one thing at a time, and only a reset is taken while paused', () => {
    expect([wishesOf({}), wishesOf({ reset: 'cursor', undo: run })]).toEqual([0, 2])
    expect([{ reset: 'cursor' as const }, { undo: run }, { approve: 'p' }, {}].map(leavesSidesAlone)).toEqual([true, false, false, false])
  })
})

describe('an asker who meets a busy connection', () => {
  const item = { ...workOfQuestion(watched, {}, minted).item }
  const running = (more: Partial<Status['running'] & object>): Status => ({
    conn: watched.conn, state: 'syncing', fence: 1, parked: 0, hasSyncToken: true, updatedAt: now, running: { run, state: 'in-progress', since: now, ...more },
  })
  it.each<[string, WorkItem | undefined, Status | undefined, object]>([
    ['hears of a run that waits to be taken', item, undefined, { code: 409, run, state: 'queued', message: `contacts is already queued (run ${run}, queued)` }],
    ['hears of a run that is going', item, running({}), { run, state: 'in-progress' }],
    ['hears when a retry is due', item, running({ state: 'retrying', nextAttemptAt: now }), { state: 'retrying', nextAttemptAt: now, message: expect.stringContaining('next attempt at 2026-09-21T') as string }],
    ['is not told of an older run', item, running({ run: 'another' }), { run, state: 'queued' }],
    ['hears what the status knows when the queue cannot be read', undefined, running({}), { run, state: 'in-progress' }],
    ['hears that it is busy even when nothing can be read', undefined, undefined, { answer: 'already-running', message: 'contacts is already queued' }],
  ])('%s', (_, queued, status, expected) => {
    expect(answerBusy(watched, queued, status)).toMatchObject(expected)
  })
})
