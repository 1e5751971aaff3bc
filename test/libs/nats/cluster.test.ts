import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishBatch } from '#libs/nats/batch.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { connectTo, startTestCluster } from '../../support/nats-server.ts'
import { bytes, left, right, text, until } from './right.ts'

let cluster: Awaited<ReturnType<typeof startTestCluster>>
let bus: Bus
let others: ReadonlyArray<Bus> = []
const state = () => openBucket(bus)('state')

const definitions = {
  streams: [
    { name: 'WORK', subjects: ['work.>'], retention: 'workqueue', discard: 'new', discardNewPerSubject: true, maxMsgsPerSubject: 1 },
  ],
  buckets: [{ name: 'state', history: 1, markerTtlMs: 2_000, allowAtomic: true }],
  consumers: [{ stream: 'WORK', durable: 'w', ackWaitMs: 30_000, maxDeliver: 5, maxAckPending: 100 }],
} as const

beforeAll(async () => {
  cluster = await startTestCluster(3)
  bus = await connectTo(cluster.urls)
  others = await Promise.all(cluster.urls.map((url) => connectTo([url])))
  await right(provision(bus)(definitions, { replicas: 3 }))
})
afterAll(async () => {
  await Promise.all([bus, ...others].map((one) => one.close()))
  await cluster.stop()
})

/** A lease is a key written under CAS with a TTL; expecting 0 takes it when nobody holds it. */
const take = (key: string, owner: string, revision = 0, through = bus) =>
  openBucket(through)('state').putWithTtl(key, bytes(owner), { revision, ttlSeconds: 30 })
const fencedBy = (key: string, revision: number) => ({
  expect: { lastSubjectSequence: revision, lastSubjectSequenceSubject: state().subjectOf(key) },
})

describe('on three replicas', () => {
  it('provisioning twice shows no drift', async () => {
    expect(await right(provision(bus)(definitions, { replicas: 3 }))).toEqual({ created: [], drift: [] })
  })

  it('a lease has one holder, through whichever server it is asked for', async () => {
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          take(`race.${round}`, `w${i}`, 0, others[i % 3] ?? bus)(),
        ),
      )
      expect(results.filter((r) => r._tag === 'Right')).toHaveLength(1)
    }
  })

  it('a write fenced by the lease is refused after renewal, release and take-over', async () => {
    const held = await right(take('lease', 'me'))
    await right(publish(bus)(state().subjectOf('ckpt'), bytes('1'), fencedBy('lease', held)))
    const renewed = await right(take('lease', 'me', held))
    const stale = publish(bus)(state().subjectOf('ckpt'), bytes('2'), fencedBy('lease', held))
    expect((await left(stale)).is).toBe('wrong-sequence')
    const released = await right(state().delete('lease', { previousSeq: renewed, ttlSeconds: 1 }))
    await right(take('lease', 'you', released))
    const zombie = publish(bus)(state().subjectOf('ckpt'), bytes('3'), fencedBy('lease', renewed))
    expect((await left(zombie)).is).toBe('wrong-sequence')
    expect(text((await right(state().get('ckpt')))?.value)).toBe('1')
  })

  it('a second state write in flight is refused as such, not as a lost fence', async () => {
    const held = await right(take('busy', 'me'))
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => publish(bus)(state().subjectOf(`page.${i}`), bytes(''), fencedBy('busy', held))()),
    )
    const refusals = results.flatMap((r) => (r._tag === 'Left' ? [r.left.is] : []))
    expect(refusals.length).toBeGreaterThan(0)
    expect(new Set(refusals)).toEqual(new Set(['write-in-flight']))
  })

  it('a batch that ends in the lease commits whole, and its repetition and its zombie not at all', async () => {
    const held = await right(take('b.lease', 'me'))
    const commit = (revision: number, body: string) =>
      publishBatch(bus)([
        { subject: state().subjectOf('b.page'), body: bytes(body) },
        { subject: state().subjectOf('b.ckpt'), body: bytes(body) },
        { subject: state().subjectOf('b.lease'), body: bytes('me'), expectLastSubjectSequence: revision, ttlSeconds: 30 },
      ])
    const { lastSeq } = await right(commit(held, '1'))
    expect((await right(state().get('b.lease')))?.revision).toBe(lastSeq)
    expect((await right(state().get('b.page')))?.revision).toBe(lastSeq - 2)
    expect((await left(commit(held, 'zombie'))).is).toBe('wrong-sequence')
    await right(commit(lastSeq, '2'))
    expect(text((await right(state().get('b.page')))?.value)).toBe('2')
  })

  it('one of many is admitted to a capped subject, through whichever server', async () => {
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, i) => publish(others[i % 3] ?? bus)('work.a', bytes(`${i}`))()),
    )
    expect(results.filter((r) => r._tag === 'Right')).toHaveLength(1)
    expect(new Set(results.flatMap((r) => (r._tag === 'Left' ? [r.left.is] : [])))).toEqual(new Set(['subject-full']))
  })

  it('consuming survives a change of the leader', async () => {
    const seen: string[] = []
    const consumption = consume(bus, {
      stream: 'WORK',
      consumer: 'w',
      concurrency: 4,
      handle: async (d) => (seen.push(d.subject), { is: 'done' }),
      onError: () => undefined,
    })
    await until(() => seen.length === 1)
    await bus.nc.request('$JS.API.CONSUMER.LEADER.STEPDOWN.WORK.w')
    await bus.nc.request('$JS.API.STREAM.LEADER.STEPDOWN.WORK')
    // a publish into the election may get no answer at all; with a msgId it may be sent again (NATS.md §2.4, §4.1)
    const patient = { retryTimeouts: true, timeoutMs: 1_000 }
    for (let i = 0; i < 10; i++) await right(publish(bus)(`work.s${i}`, bytes(''), { msgId: `s${i}`, ...patient }))
    await until(async () => (await right(streamInfo(bus)('WORK'))).messages === 0)
    expect(seen.toSorted()).toEqual(['work.a', ...Array.from({ length: 10 }, (_, i) => `work.s${i}`)])
    await consumption.stop()
  })
})
