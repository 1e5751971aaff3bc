import { describe, expect, it } from 'vitest'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import type { Connection } from '#libs/domain/connection.ts'
import { explain, type Facts } from '../../cli/explain.ts'

const now = 1_000_000_000
const conn = 'contacts' as Connection['id']
const connection: Connection = { id: conn, schedule: { kind: 'interval', everyMs: 60_000 }, flows: [] }
const healthy: Status = {
  conn, state: 'idle', fence: 1, parked: 0, hasSyncToken: true, updatedAt: now, lastSyncAt: now - 60_000, lastQuietAt: now - 30_000,
  lastRun: { run: 'R1', outcome: 'succeeded', startedAt: now - 61_000, finishedAt: now - 60_000 },
}
const facts: Facts = { connection, appliedAt: now - 3_600_000, status: healthy, results: [], queued: undefined, waiting: undefined, scheduler: 'answers', idleWorkers: 2, next: [{ slot: now + 20_000, due: now + 30_000 }] }
const queued = { run: 'R2', cause: 'tick', storedAt: now - 120_000 } as Facts['queued']
const ended = (outcome: RunResult['outcome'], more: object = {}): Status => ({ ...healthy, lastRun: { run: 'R1', outcome, startedAt: now - 2_000, finishedAt: now - 1_000, ...more } })
const running = (state: 'in-progress' | 'retrying', more: object = {}): Status => ({ ...healthy, running: { run: 'R2', state, since: now - 5_000, ...more } })

const cases: ReadonlyArray<readonly [string, Partial<Facts>, RegExp, RegExp, RegExp]> = [
  ['is paused', { connection: { ...connection, paused: true } }, /^it is paused$/, /every slot is skipped/, /syncline resume contacts/],
  ['is syncing', { status: running('in-progress') }, /syncing now, since 5s/, /run R2/, /sync contacts --wait/],
  ['waits for its next attempt', { status: running('retrying', { nextAttemptAt: now + 8_000, progress: { error: 'connection refused', attempt: 3 } }) }, /last attempt failed, and the next comes in 8s/, /connection refused/, /syncline cancel/],
  ['was put off', { waiting: { storedAt: now, notBefore: now + 90_000, reason: '429 from the provider' } }, /put off and comes in 90s/, /429/, /syncline sync contacts/],
  ['is queued and nobody works', { queued, idleWorkers: 0 }, /queued since 2m and no worker has taken it/, /no worker is waiting/, /syncline doctor/],
  ['has no scheduler', { scheduler: 'silent' }, /it did sync/, /no scheduler answers/, /start:scheduler/],
  ['was held', { status: { ...ended('held'), held: { run: 'R1', flow: 'main', by: 'mass-delete', plan: 'p1' } } }, /a guard held its last run 1s ago/, /mass-delete stopped flow main, plan p1/, /syncline plan contacts/],
  ['failed', { status: ended('failed', { error: 'the folder is gone', mend: 'make it again' }) }, /ended as failed 1s ago/, /the folder is gone/, /make it again/],
  ['is a dead letter', { status: ended('dead', { error: 'refused five times' }) }, /ended as dead/, /refused five times/, /syncline dlq ls contacts/],
  ['was cancelled', { status: ended('cancelled'), results: [{ run: 'R1', reason: 'wrong folder' } as RunResult] }, /was cancelled 1s ago/, /wrong folder/, /syncline sync contacts/],
  ['never ran', { status: undefined }, /has never run; it was applied 60m ago/, /next slot is due in 30s/, /sync contacts --wait/],
  ['never ran and is manual', { status: undefined, connection: { ...connection, schedule: { kind: 'manual' } } }, /its schedule is manual, and nobody has asked/, /^$/, /sync contacts --wait/],
  ['was skipped since', { status: { ...healthy, lastSkip: { at: now - 1_000, reason: 'coalesced' } } }, /it did sync/, /last skipped 1s ago: coalesced/, /--full/],
  ['has records set aside', { status: { ...healthy, parked: 3 } }, /it did sync/, /3 records are set aside/, /--full/],
  ['is well', {}, /it did sync: its last run ended as succeeded 60s ago/, /next slot is due in 30s/, /--full --wait/],
]

describe('a connection that', () => {
  it.each(cases)('%s is explained', (_name, change, verdict, because, todo) => {
    const said = explain({ ...facts, ...change }, now)
    expect(said.verdict).toMatch(verdict)
    expect(said.because.join('\n')).toMatch(because)
    expect(said.todo.join('\n')).toMatch(todo)
  })
})
