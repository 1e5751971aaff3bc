import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Progress } from '#libs/contracts/progress.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { serve } from '#libs/nats/serve.ts'
import { encode } from '#libs/contracts/decode.ts'
import type { RunningTracker } from '../../../services/tracker/start.ts'
import { noCounts } from '../../../services/tracker/told.ts'
import { bytes, left, right, text, until } from '../../libs/nats/right.ts'
import { rig } from './rig.ts'
import type { Rig } from './rig.ts'
import { conn, flow, progress, quiet, result, runId, skipped } from './samples.ts'

let r: Rig
let tracker: RunningTracker
beforeAll(async () => {
  r = await rig()
  await r.apply('contacts')
  tracker = await r.tracker()
})
afterAll(() => r.stop())

type Run = { readonly id: string; readonly connection: string; readonly status: string; readonly error_message: string | null }
const http = async (path: string, method = 'GET', body?: object) => {
  const answer = await fetch(tracker.url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { code: answer.status, body: (await answer.json()) as Record<string, never> & { history: ReadonlyArray<Run> } }
}
const history = async (query = ''): Promise<ReadonlyArray<Run>> => (await http(`/api/sync/history${query}`)).body.history
const nats = async (verb: string, question: object = {}) => JSON.parse(text((await right(ask(r.bus)(`sync.api.${verb}`, bytes(JSON.stringify(question)), { timeoutMs: 3_000 }))).body) ?? '') as Record<string, unknown>

describe('the history of a connection', () => {
  it('is newest first, bounded, and holds no quiet runs', async () => {
    await r.apply('h')
    const at = { conn: conn('h') }
    for (const one of [result(1, at), quiet(2, at), result(3, { ...at, outcome: 'failed', error: { is: 'unavailable', message: 'down' } }), quiet(4, { ...at, cause: 'manual' }), quiet(5, at)]) await r.sayResult(one)
    await r.recorded('h', runId(5))
    expect((await history('?connection=h')).map(({ id }) => id)).toEqual([runId(4), runId(3), runId(1)])
    expect(await history('?connection=h&limit=1')).toHaveLength(1)
    expect((await history('?connection=h&outcome=failed'))[0]).toMatchObject({ id: runId(3), status: 'failed', error_message: 'down', has_sync_token: false, last_sync_at: '1970-01-01T00:00:35.000Z', connection: 'h' })
    expect((await right(openBucket(r.bus)(buckets.history).history('h'))).length).toBe(3)
  })
  it('is that of all connections when none is named', async () => {
    for (const id of ['all-1', 'all-2']) await r.apply(id)
    await r.sayResult(result(901, { conn: conn('all-1') }))
    await r.recorded('all-1', runId(901))
    await r.sayResult(result(902, { conn: conn('all-2') }))
    await r.recorded('all-2', runId(902))
    expect((await history('?limit=2')).map(({ id, connection }) => [id, connection])).toEqual([[runId(902), 'all-2'], [runId(901), 'all-1']])
  })
  it('is cleared but for its latest entry, and again harmlessly; then goes on', async () => {
    await r.apply('clear')
    for (const n of [1, 2, 3]) await r.sayResult(result(n, { conn: conn('clear') }))
    await r.recorded('clear', runId(3))
    expect((await http('/api/sync/history?keep_latest=true&connection=clear', 'DELETE')).body).toEqual({ deleted_count: 2, connections: 1 })
    expect((await http('/api/sync/history?keep_latest=true&connection=clear', 'DELETE')).body).toMatchObject({ deleted_count: 0 })
    expect((await history('?connection=clear')).map(({ id }) => id)).toEqual([runId(3)])
    await r.sayResult(result(4, { conn: conn('clear') }))
    await r.recorded('clear', runId(4))
    expect((await history('?connection=clear')).map(({ id }) => id)).toEqual([runId(4), runId(3)])
    expect((await http('/api/sync/history?keep_latest=false&connection=clear', 'DELETE')).body).toMatchObject({ deleted_count: 2 })
    expect(await history('?connection=clear')).toEqual([])
    expect(r.alerts.filter(({ kind }) => kind === 'history-cleared').map(({ count }) => count)).toEqual([2, 2])
  })
})

describe('statistics', () => {
  it('have the shape that was asked for, per connection and over all', async () => {
    await r.apply('s')
    const at = { conn: conn('s') }
    const counts = { ...noCounts, created: 3, deleted: 1 }
    for (const one of [result(1, { ...at, flows: [flow({ counts, links: 7, cursorAfter: 'c' })] }), quiet(2, { ...at, flows: [flow({ links: 7 })] }), skipped(3, at)]) await r.sayResult(one)
    await until(async () => ((await nats('statistics.s'))['runs'] as { skipped: number }).skipped === 1)
    const { code, body } = await http('/api/sync/statistics?connection=s')
    expect(code).toBe(200)
    expect(body).toMatchObject({
      items: { total: 8, active: 7, deleted: 1, parked: 0 },
      sync: { last_sync_at: '1970-01-01T00:00:25.000Z', status: 'idle', has_sync_token: true, error_message: null },
      runs: { succeeded: 2, partial: 0, failed: 0, dead: 0, cancelled: 0, skipped: 1, held: 0 },
      quiet_runs: 1,
      connections: [{ id: 's', state: 'idle', links: 7, runs: { succeeded: 2 } }],
    })
    const overall = (await http('/api/sync/statistics')).body as unknown as { connections: ReadonlyArray<{ id: string }>; runs: { succeeded: number } }
    expect(overall.connections.map(({ id }) => id)).toContain('s')
    expect(overall.runs.succeeded).toBeGreaterThanOrEqual(2)
  })
})

describe('the status of a connection', () => {
  it('is safe defaults until something is heard, and unknown for what nobody applied', async () => {
    expect((await http('/api/sync/status/contacts')).body).toMatchObject({ id: 'contacts', state: 'never_synced', is_running: false, last_sync_at: null, last_run: null })
    expect(await http('/api/sync/status/nobody')).toMatchObject({ code: 404, body: { error: { code: 'unknown-connection' } } })
  })
  it('follows the paused flag, back and forth', async () => {
    await r.apply('p')
    await r.sayResult(result(1, { conn: conn('p') }))
    await r.recorded('p', runId(1))
    await r.apply('p', true)
    await until(async () => (await r.status('p'))?.state === 'paused')
    expect((await http('/api/sync/status/p')).body).toMatchObject({ state: 'paused', paused: true })
    await r.apply('p', false)
    await until(async () => (await r.status('p'))?.state === 'idle')
  })
  it('shows a long run while it goes', async () => {
    await r.apply('long')
    publishCore(r.bus)(subjects.progress(conn('long')), encode(Progress, progress(1, { conn: conn('long'), step: 'writing' })))
    await until(async () => (await r.status('long'))?.state === 'syncing')
    expect((await http('/api/sync/status')).body['connections']).toContainEqual(expect.objectContaining({ id: 'long', is_running: true, running: expect.objectContaining({ step: 'writing' }) as object }))
    await r.sayResult(result(1, { conn: conn('long') }))
    await until(async () => (await r.status('long'))?.state === 'idle')
  })
})

describe('a message that cannot be read', () => {
  it('is kept as a dead letter with the decoder’s report', async () => {
    await r.apply('bad')
    await right(publish(r.bus)('sync.result.bad.succeeded', bytes('{"conn":"bad"}')))
    await until(async () => ((await nats('dlq-list.bad'))['dead'] as ReadonlyArray<unknown>).length === 1)
    expect((await nats('dlq-list.bad'))['dead']).toMatchObject([{ type: 'dead-letter', why: 'it is not a result.1', connection: 'bad' }])
  })
  it('and so is one that speaks of another connection than its subject', async () => {
    await right(publish(r.bus)('sync.result.liar.succeeded', encode(RunResult, result(1, { conn: conn('contacts') }))))
    await until(async () => ((await nats('dlq-list.liar'))['dead'] as ReadonlyArray<unknown>).length === 1)
    expect((await r.status('contacts'))?.lastRun).toBeUndefined()
  })
})

describe('asking for a sync over HTTP', () => {
  it('gives the scheduler’s answer with its code', async () => {
    const answers = { contacts: ['accepted', 202], p: ['paused', 423], long: ['already-running', 409], nobody: ['unknown', 404] } as const
    const scheduler = await right(serve(r.bus)({
      name: 'scheduler', version: '0.0.0', description: 'a stand-in', onError: () => undefined,
      endpoints: [{ name: 'trigger', subject: 'sync.trigger.*', handle: (subject) => {
        const [answer, code] = answers[subject.split('.')[2] as keyof typeof answers]
        return Promise.resolve(E.right(bytes(JSON.stringify({ answer, code, message: answer, run: runId(1) }))))
      } }],
    }))
    expect(await http('/api/sync/safe?connection=contacts', 'POST')).toMatchObject({ code: 200, body: { status: 'accepted', run: runId(1), connection: 'contacts' } })
    expect(await http('/api/sync/safe', 'POST', { connection: 'long' })).toMatchObject({ code: 409, body: { status: 'skipped', run: runId(1), statistics: {}, error: { code: 'already-running' } } })
    expect(await http('/api/sync/safe', 'POST', { connection: 'p' })).toMatchObject({ code: 423, body: { error: { code: 'paused' } } })
    expect(await http('/api/sync/safe', 'POST', { connection: 'nobody' })).toMatchObject({ code: 404 })
    expect(await http('/api/sync/safe', 'POST')).toMatchObject({ code: 400, body: { error: { code: 'which-connection' } } })
    await scheduler.stop()
    expect(await http('/api/sync/safe?connection=contacts', 'POST')).toMatchObject({ code: 503, body: { error: { message: expect.stringContaining('no scheduler') as string } } })
  })
})

describe('the doors', () => {
  it.each([['?limit=0'], ['?limit=1001'], ['?limit=ten'], ['?limit=2.5'], ['?connection=a.b']])('refuse %s', async (query) => {
    expect((await http(`/api/sync/history${query}`)).code).toBe(400)
  })
  it('are healthy while NATS is connected and the consumers are there', async () => {
    expect(await http('/healthz')).toMatchObject({ code: 200, body: { status: 'ok', problems: [] } })
  })
  it('answer the same over NATS, and refuse with a code', async () => {
    expect(await nats('status.contacts')).toMatchObject({ id: 'contacts' })
    expect(await nats('status', { connection: 'contacts' })).toMatchObject({ id: 'contacts' })
    expect(await left(ask(r.bus)('sync.api.status.nobody', bytes(''), { timeoutMs: 1_000 }))).toMatchObject({ is: 'service-error', code: 404 })
    expect(await left(ask(r.bus)('sync.api.history', bytes('{"limit":"x"}'), { timeoutMs: 1_000 }))).toMatchObject({ is: 'service-error', code: 400 })
    const info = await right(ask(r.bus)('$SRV.PING.syncline-tracker', bytes(''), { timeoutMs: 1_000 }))
    expect(text(info.body)).toContain('syncline-tracker')
  })
})

describe('a tracker that cannot start says why and what to do', () => {
  it('when its port is taken', async () => {
    await expect(r.tracker({ httpPort: tracker.port })).rejects.toThrow(/in use.*TRACKER_HTTP_PORT/)
  })
  it('when nothing is provisioned, and leaves its port free', async () => {
    const bare = await rig({ isProvisioned: false })
    try {
      await expect(bare.tracker()).rejects.toThrow(/consumer tracker of SYNC_RESULTS.*syncline provision/)
    } finally {
      await bare.stop()
    }
  })
})
