import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishBatch } from '#libs/nats/batch.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, text, until } from './right.ts'

let server: TestServer
let bus: Bus
const state = () => openBucket(bus)('state')

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  const buckets = [{ name: 'state', history: 1, markerTtlMs: 2_000, allowAtomic: true }]
  await right(provision(bus)({ streams: [], buckets, consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

const message = (key: string, body: string, revision?: number, ttlSeconds?: number) => ({
  subject: state().subjectOf(key),
  body: bytes(body),
  headers: { traceparent: 't1' },
  ...(revision === undefined ? {} : { expectLastSubjectSequence: revision }),
  ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
})

describe('a batch', () => {
  it('stores all, in order, with expectations and TTLs still on the stored messages', async () => {
    const { lastSeq, count } = await right(
      publishBatch(bus)([message('page.1', 'p1', 0), message('page.2', 'p2', 0), message('ckpt', 'c', 0), message('lease', 'me', 0, 30)]),
    )
    expect(count).toBe(4)
    const stored = await Promise.all(
      [3, 2, 1, 0].map((back) => right(getMessage(bus)('KV_state', { seq: lastSeq - back }))),
    )
    expect(stored.map((m) => text(m?.body))).toEqual(['p1', 'p2', 'c', 'me'])
    expect(stored[0]?.headers).toMatchObject({ traceparent: 't1', 'Nats-Expected-Last-Subject-Sequence': '0' })
    expect(stored[3]?.headers).toMatchObject({ 'Nats-TTL': '30s', 'Nats-Expected-Last-Subject-Sequence': '0' })
  })

  it.each([0, 1, 2])('with one stale revision, at %i, is refused whole and leaves nothing behind', async (stale) => {
    const keys = ['a', 'b', 'c'].map((key) => `stale${stale}.${key}`)
    const batch = keys.map((key, i) => message(key, 'new', i === stale ? 999_999 : 0))
    expect((await left(publishBatch(bus)(batch))).is).toBe('wrong-sequence')
    for (const key of keys) expect(await right(state().get(key))).toBeUndefined()
  })

  it('sent again, is refused', async () => {
    const batch = [message('twice.a', '1', 0), message('twice.b', '1', 0)]
    await right(publishBatch(bus)(batch))
    expect((await left(publishBatch(bus)(batch))).is).toBe('wrong-sequence')
  })

  it('of one message is a plain conditional publish', async () => {
    const { lastSeq } = await right(publishBatch(bus)([message('single', '1', 0)]))
    expect((await right(getMessage(bus)('KV_state', { seq: lastSeq })))?.headers['Nats-Batch-Id']).toBeUndefined()
    expect((await left(publishBatch(bus)([message('single', '2', 0)]))).is).toBe('wrong-sequence')
  })

  it('lets a lease written by it expire', async () => {
    await right(publishBatch(bus)([message('short.page', '1', 0), message('short.lease', 'me', 0, 1)]))
    await until(async () => (await right(state().get('short.lease')))?.value === null)
    expect((await right(state().get('short.page')))?.operation).toBe('put')
  })

  it('into a stream that takes no batches fails at once', async () => {
    await right(provision(bus)({ streams: [{ name: 'PLAIN', subjects: ['plain.>'], retention: 'limits', discard: 'old' }], buckets: [], consumers: [] }, { replicas: 1 }))
    const failure = await left(publishBatch(bus)([{ subject: 'plain.a', body: bytes('1') }, { subject: 'plain.b', body: bytes('2') }]))
    expect(failure.is).toBe('other')
  })
})
