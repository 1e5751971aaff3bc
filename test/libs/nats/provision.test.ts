import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import type { Definitions } from '#libs/contracts/definitions.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { consumerInfo, deleteMessage, getMessage, listMessages, purge, streamInfo } from '#libs/nats/stream-messages.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, text } from './right.ts'

let server: TestServer
let bus: Bus

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

const definitions: Definitions = {
  streams: [
    {
      name: 'WORK',
      subjects: ['work.>'],
      retention: 'workqueue',
      discard: 'new',
      discardNewPerSubject: true,
      maxMsgsPerSubject: 1,
      description: 'what is to be done',
    },
    { name: 'RESULTS', subjects: ['result.>'], retention: 'limits', discard: 'old', maxAgeMs: 86_400_000, allowDirect: true },
    {
      name: 'ADVISORIES',
      subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>'],
      retention: 'limits',
      discard: 'old',
      duplicateWindowMs: 60_000,
    },
  ],
  buckets: [
    { name: 'state', history: 1, markerTtlMs: 2_000, allowAtomic: true },
    { name: 'history', history: 64, allowDirect: true, description: 'what was' },
  ],
  consumers: [
    { stream: 'WORK', durable: 'hot', filterSubjects: ['work.hot.*'], ackWaitMs: 30_000, maxDeliver: 5, maxAckPending: 500 },
    { stream: 'WORK', durable: 'rest', filterSubjects: ['work.cold.*', 'work.odd.*'], ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: -1 },
    { stream: 'RESULTS', durable: 'all', ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: 100 },
  ],
}

describe('provisioning', () => {
  it('creates all the first time and nothing the second, without drift', async () => {
    const first = await right(provision(bus)(definitions, { replicas: 1 }))
    expect(first.drift).toEqual([])
    expect(first.created).toHaveLength(8)
    expect(await right(provision(bus)(definitions, { replicas: 1 }))).toEqual({ created: [], drift: [] })
  })

  it('by two at the same time creates each once', async () => {
    const streams = [{ name: 'RACE', subjects: ['race'], retention: 'limits', discard: 'old' }] as const
    const run = () => right(provision(bus)({ streams, buckets: [], consumers: [] }, { replicas: 1 }))
    const results = await Promise.all([run(), run(), run()])
    expect(results.flatMap(({ drift }) => drift)).toEqual([])
  })

  it('reports what differs and leaves it as it is', async () => {
    const changed: Definitions = {
      streams: [{ ...definitions.streams[1], name: 'RESULTS', subjects: ['result.>'], retention: 'limits', discard: 'old', maxAgeMs: 1_000 }],
      buckets: [{ name: 'state', history: 5, markerTtlMs: 2_000, allowAtomic: true }],
      consumers: [{ stream: 'RESULTS', durable: 'all', ackWaitMs: 5_000, maxDeliver: -1, maxAckPending: 100 }],
    }
    const { created, drift } = await right(provision(bus)(changed, { replicas: 1 }))
    expect(created).toEqual([])
    expect(drift).toEqual([
      { what: 'stream RESULTS', field: 'max_age', found: 86_400_000_000_000, wanted: 1_000_000_000 },
      { what: 'bucket state', field: 'max_msgs_per_subject', found: 1, wanted: 5 },
      { what: 'consumer all of RESULTS', field: 'ack_wait', found: 30_000_000_000, wanted: 5_000_000_000 },
    ])
    expect((await right(provision(bus)(definitions, { replicas: 1 }))).drift).toEqual([])
  })

  it('says what the server objects to', async () => {
    const streams = [{ name: 'OVERLAP', subjects: ['work.hot.x'], retention: 'limits', discard: 'old' }] as const
    const failure = await left(provision(bus)({ streams, buckets: [], consumers: [] }, { replicas: 1 }))
    expect(failure.is === 'other' && failure.message).toContain('subjects overlap')
  })
})

describe('looking into a stream by hand', () => {
  it('lists, counts, fetches and removes beside a working consumer', async () => {
    for (const key of ['hot.a', 'hot.b', 'cold.a', 'hot.c']) await right(publish(bus)(`work.${key}`, bytes(key)))
    const list = await right(listMessages(bus)('WORK', { filterSubject: 'work.hot.*', limit: 10 }))
    expect(list.map(({ subject, body }) => `${subject} ${text(body)}`)).toEqual(['work.hot.a hot.a', 'work.hot.b hot.b', 'work.hot.c hot.c'])
    const second = list[1]?.seq ?? 0
    const page = await right(listMessages(bus)('WORK', { filterSubject: 'work.hot.*', fromSeq: second, limit: 1 }))
    expect(page.map(({ seq }) => seq)).toEqual([second])
    expect((await right(streamInfo(bus)('WORK', 'work.hot.>'))).subjects).toEqual({ 'work.hot.a': 1, 'work.hot.b': 1, 'work.hot.c': 1 })
    expect((await right(consumerInfo(bus)('WORK', 'hot'))).pending).toBe(3)

    expect(await right(deleteMessage(bus)('WORK', second))).toBe(true)
    expect(await right(deleteMessage(bus)('WORK', second))).toBe(false)
    expect(await right(getMessage(bus)('WORK', { seq: second }))).toBeUndefined()
    await right(publish(bus)('work.hot.b', bytes('free again')))
    expect(await right(purge(bus)('WORK', 'work.hot.>'))).toBe(3)
    expect((await right(streamInfo(bus)('WORK'))).messages).toBe(1)
  })

  it('names a stream that is not there', async () => {
    expect((await left(streamInfo(bus)('NONE'))).is).toBe('not-found')
    expect((await left(getMessage(bus)('NONE', { seq: 1 }))).is).toBe('not-found')
    expect((await left(openBucket(bus)('none').put('a', bytes('')))).is).toBe('no-responders')
  })
})
