import { afterEach, describe, expect, it } from 'vitest'
import type { TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { publishBatch } from '#libs/nats/batch.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { heardBucket, type HeardBucket } from '#libs/nats/heard-bucket.ts'
import { openBucket, type Bucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { watchSoleReplica } from '#libs/nats/sole-replica.ts'
import { pause } from '../../support/pause.ts'
import { connectTo, startTestCluster, startTestServer } from '../../support/nats-server.ts'
import { bytes, right, text, until } from './right.ts'

const ends: Array<() => Promise<unknown> | void> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const connected = async (...how: Parameters<typeof connectTo>): Promise<Bus> => {
  const bus = await connectTo(...how)
  ends.push(() => bus.close())
  return bus
}
const state = { streams: [], buckets: [{ name: 'state', history: 1, allowDirect: true, allowAtomic: true }], consumers: [] }

/** A bucket that is remembered over `bus`, and how often it was read. */
const remembering = async (bus: Bus, rememberMs?: number) => {
  const failures: Array<NatsFailure> = []
  const bucket = openBucket(bus)('state')
  let reads = 0
  const counted: Bucket = { ...bucket, get: (key) => () => (reads++, bucket.get(key)()) }
  const sole = watchSoleReplica(bus, 'KV_state', () => undefined)
  const heard = heardBucket(bus, counted, { filter: 'k.>', sole, onFailure: (failure) => failures.push(failure), ...(rememberMs === undefined ? {} : { rememberMs }) })
  ends.push(sole.stop, heard.stop)
  return { heard, sole, failures, reads: () => reads }
}
const valueOf = async (heard: HeardBucket, key = 'k.a') => text((await right(heard.get(key)))?.value)

/** Reads until a read was answered from memory: for a second after a write none is. */
const remembered = async (heard: HeardBucket, reads: () => number, key = 'k.a'): Promise<string | null> => {
  for (;;) {
    const before = reads()
    const value = await valueOf(heard, key)
    if (reads() === before) return value
    await pause(50)
  }
}

describe('a bucket on one server', () => {
  const single = async (rememberMs?: number) => {
    const server = await startTestServer()
    ends.push(() => server.stop())
    const [bus, other] = [await connected(server), await connected(server)]
    await right(provision(bus)(state, { replicas: 1 }))
    const theirs = openBucket(other)('state')
    await right(theirs.put('k.a', bytes('old')))
    const mine = await remembering(bus, rememberMs)
    await until(mine.sole.isSole)
    return { server, bus, other, theirs, ...mine }
  }

  it('is not asked again for what nobody has written since', async () => {
    const { heard, reads } = await single()
    expect(await remembered(heard, reads)).toBe('old')
    const before = reads()
    for (let i = 0; i < 100; i++) expect(await valueOf(heard)).toBe('old')
    expect(reads()).toBe(before)
  })

  it('is asked for what is not there each time', async () => {
    const { heard, reads } = await single()
    await pause(1_100)
    for (let i = 0; i < 3; i++) expect(await valueOf(heard, 'k.none')).toBeNull()
    expect(reads()).toBe(3)
  })

  /** The next read by whoever has heard of something that came after `write`, as a work item would. */
  const afterwards = async ({ bus, other, heard }: Awaited<ReturnType<typeof single>>, write: TE.TaskEither<NatsFailure, unknown>): Promise<string | null> => {
    const told = new Promise<void>((resolve) => bus.nc.subscribe('go', { max: 1, callback: () => resolve() }))
    await right(bus.flush)
    await right(write)
    other.tell('go', '')
    await told
    return valueOf(heard)
  }

  it.each([
    ['put', 'new', ({ theirs }: { theirs: Bucket; other: Bus }) => theirs.put('k.a', bytes('new'))],
    ['delete', null, ({ theirs }) => theirs.delete('k.a')],
    ['purge', null, ({ theirs }) => theirs.purge('k.a')],
    ['batch', 'new', ({ theirs, other }) => publishBatch(other)(['k.b', 'k.a'].map((key) => ({ subject: theirs.subjectOf(key), body: bytes('new') })))],
  ] satisfies ReadonlyArray<[string, string | null, (by: { theirs: Bucket; other: Bus }) => TE.TaskEither<NatsFailure, unknown>]>)('is asked again after a %s by somebody else', async (_, now, write) => {
    const rig = await single()
    expect(await remembered(rig.heard, rig.reads)).toBe('old')
    expect(await afterwards(rig, write(rig))).toBe(now)
  })

  it('does not remember what it read within a second of a write: that may have been what was there before', async () => {
    const { heard, reads, theirs } = await single()
    await remembered(heard, reads)
    await right(theirs.put('k.a', bytes('new')))
    await until(async () => (await valueOf(heard)) === 'new')
    const before = reads()
    await valueOf(heard)
    expect(reads()).toBe(before + 1)
  })

  it('is asked again after a while, for what its API removed: of that nobody hears', async () => {
    const { heard, reads, bus } = await single(2_000)
    expect(await remembered(heard, reads)).toBe('old')
    await bus.jsm.streams.purge('KV_state')
    await until(async () => (await valueOf(heard)) === null)
  })

  it('is asked again when it was made anew, and after each loss of the connection', async () => {
    const rig = await single()
    await remembered(rig.heard, rig.reads)
    await rig.bus.jsm.streams.delete('KV_state')
    await right(provision(rig.bus)(state, { replicas: 1 }))
    expect(await valueOf(rig.heard)).toBeNull()
    await right(rig.theirs.put('k.a', bytes('again')))
    expect(await remembered(rig.heard, rig.reads)).toBe('again')
    await rig.server.kill()
    await until(() => !rig.bus.isConnected())
    expect((await rig.heard.get('k.a')())._tag).toBe('Left')
    await rig.server.restart()
    await until(rig.sole.isSole)
    const before = rig.reads()
    expect(await valueOf(rig.heard)).toBe('again')
    expect(rig.reads()).toBe(before + 1)
  })

  it('is asked each time by who was stopped', async () => {
    const { heard, reads } = await single()
    await remembered(heard, reads)
    heard.stop()
    const before = reads()
    await valueOf(heard)
    expect(reads()).toBe(before + 1)
  })
})

describe('where not every write is heard in time', () => {
  it('for want of the right to listen, nothing is remembered, and that is said once', async () => {
    const extra = 'authorization { users: [ { user: admin, password: a }, { user: poor, password: p, permissions: { publish: ">", subscribe: ["_INBOX.>", "$JS.EVENT.>"] } } ] }'
    const server = await startTestServer({ extra })
    ends.push(() => server.stop())
    const admin = await connected(server, { credentials: { by: 'password', user: 'admin', password: 'a' } })
    await right(provision(admin)(state, { replicas: 1 }))
    await right(openBucket(admin)('state').put('k.a', bytes('there')))
    const poor = await remembering(await connected(server, { credentials: { by: 'password', user: 'poor', password: 'p' } }))
    await until(poor.sole.isSole)
    await until(() => poor.failures.length > 0)
    await pause(1_100)
    for (let i = 0; i < 3; i++) expect(await valueOf(poor.heard)).toBe('there')
    expect([poor.reads(), poor.failures]).toEqual([3, [expect.objectContaining({ is: 'denied' })]])
  })

  it('on a cluster, nothing is remembered, though one server alone has the bucket', async () => {
    const cluster = await startTestCluster(3)
    ends.push(cluster.stop)
    const bus = await connected(cluster.urls)
    await right(provision(bus)(state, { replicas: 1 }))
    await right(openBucket(bus)('state').put('k.a', bytes('there')))
    const { heard, sole, reads } = await remembering(bus)
    await until(sole.isSole)
    await pause(1_100)
    for (let i = 0; i < 3; i++) expect(await valueOf(heard)).toBe('there')
    expect(reads()).toBe(3)
  })
})
