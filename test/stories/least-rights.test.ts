/**
 * The four services under the users of deploy/nats/accounts.conf: everything they do is permitted, and nothing else is.
 * A right that is missing shows as a violation in the server's log; one too many, as a subject that was not refused.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buckets, durables, stateKeys, streams, subjects } from '#libs/contracts/subjects.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId, RunId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { listMessages } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { accepted, asked, startDeployedHouse, type DeployedHouse } from '../support/deployed-house.ts'
import { patienceMs, until, type ServiceProcess } from '../support/processes.ts'
import { foreignHearings, foreignSubjects, users } from '../support/rights.ts'

let house: DeployedHouse
let client: Bus
let url: string
const heard = new Set<string>()
const running: Array<ServiceProcess> = []

beforeAll(async () => {
  house = await startDeployedHouse(1)
  await house.provision()
  running.push(...(await Promise.all([house.start('scheduler'), house.start('conflict-resolver'), house.start('tracker', { TRACKER_SWEEP_EVERY_MS: '1000', TRACKER_SILENT_MS: '1000' })])))
  url = /"url":"([^"]+)"/.exec(running[2]?.output() ?? '')?.[1] ?? ''
  client = await house.as('client')
  for (const subject of [subjects.results, subjects.progresses, subjects.alert('*')]) subscribe(client, { subject, handle: (message) => void heard.add(message.subject), onError: () => undefined })
  await client.flush()
})
afterAll(() => house.stop())

const conn = (id: string): ConnectionId => id as ConnectionId
const http = async (path: string, method = 'GET'): Promise<number> => (await fetch(`${url}${path}`, { method })).status
const say = async (subject: string, body: string): Promise<void> => {
  expect(await publish(house.admin)(subject, new TextEncoder().encode(body), { timeoutMs: patienceMs })()).toMatchObject({ _tag: 'Right' })
}
/** No database listens there, which may pass: such a run is tried again. */
const nobody = { provider: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none', table: 'none' }
const nobodyThere = { flows: [{ id: 'main', direction: 'one-way', kind: 'row', source: nobody, destination: nobody }] }
const lettersOf = async (id: string): Promise<ReadonlyArray<{ readonly seq: number }>> => (await asked(house.admin, subjects.api('dlq-list', id)))['dead'] as ReadonlyArray<{ seq: number }>

describe('every service under its own user', () => {
  it('joins the dead letter of a work item that no worker finished', async () => {
    await house.side('lost', 'a')
    await house.apply('lost')
    const dying = consume(house.admin, { stream: streams.work, consumer: durables.work('hot'), concurrency: 1, handle: () => Promise.resolve({ is: 'again', delayMs: 1 }), onError: () => undefined })
    expect((await house.result('the dead run', ({ conn: id }) => id === 'lost')).outcome).toBe('dead')
    await dying.stop()
    await until('the letter is listed', async () => (await lettersOf('lost')).length === 1)
  })

  it('lays aside a request that cannot be read', async () => {
    await say(subjects.request(conn('lost')), 'not JSON')
    await until('the letter is listed', async () => (await lettersOf('lost')).length === 2)
  })

  it('syncs, on trigger of a client, with a conflict that is resolved and a loser that is kept', async () => {
    running.push(await house.start('sync-worker', { WORKER_LEASE_TTL_MS: '6000' }))
    const [a, b] = [await house.side('pair', 'a'), await house.side('pair', 'b')]
    for (const name of ['one', 'two', 'three']) await a.put(name)
    await house.apply('pair')
    await house.result('the first run', ({ conn: id, outcome }) => id === 'pair' && outcome === 'succeeded')
    expect(await b.names()).toHaveLength(3)
    await a.put('one', 'One of A')
    await b.put('one', 'One of B')
    const triggered = await accepted(client, 'pair')
    const second = await house.result('the triggered run', ({ run }) => run === triggered)
    expect(second).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { conflicts: 1 } }] })
    const kept = await listMessages(house.admin)(streams.archive, { filterSubject: subjects.archivedOf(conn('pair')), limit: 9 })()
    expect(E.isRight(kept) && kept.right.length).toBe(1)
  })

  it('cancels what runs, and one more request waits meanwhile', async () => {
    const a = await house.side('big', 'a')
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => a.put(`card-${n}`)))
    const b = await house.side('big', 'b')
    await house.apply('big')
    await until('the first cards', async () => (await b.names()).length > 0)
    expect(await asked(client, subjects.trigger('big'))).toMatchObject({ answer: 'already-running' })
    expect(await asked(client, subjects.trigger('big'), { ifRunning: 'queue' })).toMatchObject({ answer: 'queued' })
    expect(await asked(house.admin, subjects.control(conn('big')), { verb: 'cancel' })).toMatchObject({ found: 'running' })
    const cancelled = await house.result('the cancelled run', ({ conn: id, outcome }) => id === 'big' && outcome === 'cancelled')
    expect(cancelled.flows).toHaveLength(1)
    await house.result('the run that waited', ({ conn: id, outcome }) => id === 'big' && outcome === 'succeeded')
  })

  it('cancels what is queued, defers what is busy, skips what is paused, gives up what stays broken', async () => {
    let found: unknown = ''
    // The delay before the next attempt is random: once in a while that attempt is under way by now.
    for (let times = 1; found !== 'queued'; times++) {
      const down = `down-${times}`
      await house.apply(down, { ...nobodyThere, maxAttempts: 5 })
      // Unknown at first: the tracker hears of it as the scheduler does.
      await until('its first attempt failed', async () => JSON.stringify(await asked(client, subjects.api('status', down)).catch(() => '')).includes('retrying'))
      found = (await asked(house.admin, subjects.control(conn(down)), { verb: 'cancel' }))['found']
      expect(['queued', 'running']).toContain(found)
      await house.result('the cancelled run', ({ conn: id, outcome }) => id === down && outcome === 'cancelled')
    }

    await house.apply('down', { ...nobodyThere, maxAttempts: 1 })
    await say(subjects.request(conn('down')), '')
    await house.result('the dead run', ({ conn: id, outcome }) => id === 'down' && outcome === 'dead')

    await house.side('busy', 'a')
    await house.side('busy', 'b')
    const lease = { owner: 'somebody', nonce: 'n', run: 'r', n: 0, free: false }
    expect(await openBucket(house.admin)(buckets.state).putWithTtl(stateKeys.lease(conn('busy')), new TextEncoder().encode(JSON.stringify(lease)), { revision: 0, ttlSeconds: 2 })()).toMatchObject({ _tag: 'Right' })
    await house.apply('busy', { lane: 'cold' })
    expect((await house.result('the deferred run', ({ conn: id }) => id === 'busy')).cause).toBe('deferral')

    await house.apply('idle', { paused: true })
    await say(subjects.request(conn('idle')), '')
    expect(await house.result('the skipped run', ({ conn: id }) => id === 'idle')).toMatchObject({ outcome: 'skipped', reason: 'paused' })
  })

  it('answers over HTTP and NATS, and redrives and discards dead letters', async () => {
    for (const path of ['/healthz', '/api/sync/status', '/api/sync/status/pair', '/api/sync/statistics', '/api/sync/statistics?connection=pair', '/api/sync/history', '/api/sync/history?connection=pair', '/api/sync/dead']) expect([path, await http(path)]).toEqual([path, 200])
    expect(await http('/api/sync/safe?connection=pair', 'POST')).toBe(200)
    for (const verb of ['status', 'history', 'statistics']) {
      expect(await asked(client, subjects.api(verb))).toBeTypeOf('object')
      expect(await asked(client, subjects.api(verb, 'pair'))).toBeTypeOf('object')
    }
    const [redriven, discarded] = await lettersOf('lost')
    expect(await asked(house.admin, subjects.api('dlq-show'), { seq: redriven?.seq })).toBeTypeOf('object')
    await house.side('lost', 'b')
    await asked(house.admin, subjects.api('dlq-redrive'), { seq: redriven?.seq })
    expect((await house.result('the redriven run', ({ conn: id, cause }) => id === 'lost' && cause === 'redrive')).outcome).toBe('succeeded')
    await asked(house.admin, subjects.api('dlq-discard'), { seq: discarded?.seq, reason: 'test' })
    await asked(house.admin, subjects.api('clear', 'pair'))
    expect(await asked(house.admin, subjects.operate('nobody'))).toMatchObject({ answer: 'unknown' })
    expect(await asked(client, subjects.trigger('nobody'))).toMatchObject({ answer: 'unknown' })
    await asked(house.admin, '$SRV.PING.scheduler')
    await asked(house.admin, '$SRV.STATS.conflict-resolver')
  })

  it('reads again what it may not have heard yet, and lets a long bucket flow', async () => {
    const item: WorkItem = { conn: conn('pair'), run: '01J00000000000000000000000' as RunId, trigger: 't', cause: 'manual', lane: 'cold', revision: 1_000_000, askedAt: 0, restore: 1 }
    await say(subjects.work('cold', conn('pair')), JSON.stringify(item))
    await house.result('the run of a later revision', ({ run }) => run === item.run)
    for (const [user, followed] of [['scheduler', ['connections']], ['sync-worker', ['connections', 'providers']], ['tracker', ['connections', 'status', 'stats', 'history']]] as const) {
      const bus = await house.as(user)
      for (const bucket of followed) bus.nc.publish(`$JS.FC.KV_${buckets[bucket]}.nobody.x`, '')
      await bus.flush()
    }
  })

  it('tells a client what happens', () => {
    expect([...heard]).toEqual(expect.arrayContaining(['sync.result.pair.succeeded', 'sync.progress.big', 'sync.alert.lost']))
  })

  it('stops in order', async () => {
    for (const one of running) await one.kill('SIGTERM')
    expect(running.map(({ name, child }) => [name, child.exitCode])).toEqual(running.map(({ name }) => [name, 0]))
  })

  it('met no refusal in all of this', () => {
    expect(house.nats.violations()).toEqual([])
  })
})

/** Which of these the server refuses to take from, or to give to, this user. */
const refusedOf = async (user: string, use: (bus: Bus, subject: string) => void, all: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const bus = await house.as(user)
  const refused = new Set<string>()
  bus.onFailure((failure) => {
    if (failure.is === 'denied' && failure.subject !== undefined) refused.add(failure.subject)
  })
  for (const subject of all) use(bus, subject)
  expect(await bus.flush()).toMatchObject({ _tag: 'Right' })
  await until(`${all.length} refusals of ${user}, not of: ${all.filter((subject) => !refused.has(subject)).join(' ')}`, () => all.every((subject) => refused.has(subject))).catch(() => undefined)
  return all.filter((subject) => refused.has(subject))
}

describe.each(users)('%s', (user) => {
  it('is refused to say whatever is not its business', async () => {
    const foreign = foreignSubjects(user)
    expect(foreign.length).toBeGreaterThan(200)
    expect(await refusedOf(user, (bus, subject) => bus.nc.publish(subject, ''), foreign)).toEqual(foreign)
  })

  it('is refused to hear whatever is not its business', async () => {
    const foreign = foreignHearings(user)
    expect(await refusedOf(user, (bus, subject) => void subscribe(bus, { subject, handle: () => undefined, onError: () => undefined }), foreign)).toEqual(foreign)
  })
})

describe('a client that asks for its answer elsewhere', () => {
  it('changes nothing inside', async () => {
    const connections = openBucket(house.admin)(buckets.connections)
    const before = await connections.get('pair')()
    running.push(await house.start('scheduler'), await house.start('tracker'))
    client.nc.publish(subjects.trigger('pair'), '', { reply: connections.subjectOf('pair') })
    client.nc.publish(subjects.api('status'), '', { reply: connections.subjectOf('pair') })
    await asked(client, subjects.trigger('nobody'))
    await asked(client, subjects.api('statistics'))
    expect(await connections.get('pair')()).toEqual(before)
  })
})
