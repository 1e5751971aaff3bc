import { describe, expect, it, onTestFinished } from 'vitest'
import { encode } from '#libs/contracts/decode.ts'
import { LeaseEntry } from '#libs/contracts/state.ts'
import { bucketDefs, streamDefs } from '#libs/contracts/streams.ts'
import { publishBatch } from '#libs/nats/batch.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { connectTo, startTestServer } from '../support/nats-server.ts'
import { until } from '../support/processes.ts'
import type { HistoryRecord, Publish } from './history.ts'
import { leasesIn, startTape } from './state-tape.ts'

const lease = (nonce: string, n: number) => encode(LeaseEntry, { owner: 'w1', nonce, run: 'r', n, free: false })

describe('the tape of the state', () => {
  it('hears every message in order, the overwritten ones, those of batches and the marks of expiry too', async () => {
    const server = await startTestServer()
    onTestFinished(() => server.stop())
    const bus = await connectTo(server)
    onTestFinished(() => bus.close())
    await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: [] }, { replicas: 1 })()
    const heard: Array<Publish> = []
    const tape = await startTape(bus, (record: HistoryRecord) => void (record.is === 'publish' && heard.push(record)))
    onTestFinished(() => tape.stop())
    const bucket = openBucket(bus)('sync_state')

    await bucket.putWithTtl('lease.c', lease('x', 0), { revision: 0, ttlSeconds: 2 })()
    await publishBatch(bus)([
      { subject: '$KV.sync_state.page.c.f.0', body: new TextEncoder().encode('{"links":{}}'), expectLastSubjectSequence: 0 },
      { subject: '$KV.sync_state.lease.c', body: lease('x', 1), expectLastSubjectSequence: 1, ttlSeconds: 1 },
    ])()
    await until('the lease expired', () => heard.some(({ headers }) => headers['Nats-Marker-Reason'] === 'MaxAge'), 60_000)

    expect(heard.map(({ seq, record, conn, lease: entry, deleted }) => [seq, record, conn, entry?.n ?? null, deleted])).toEqual([
      [1, 'lease', 'c', 0, false],
      [2, 'page', 'c', null, false],
      [3, 'lease', 'c', 1, false],
      [4, 'lease', 'c', null, true],
    ])
    expect(heard[1]?.headers['Nats-Expected-Last-Subject-Sequence']).toBe('0')
    expect(leasesIn(heard).map(({ owner, fence, endedBy }) => [owner, fence, endedBy])).toEqual([['w1', 1, 'expiry']])
  })
})

describe('leases, read from their messages', () => {
  const message = (seq: number, nonce: string | null): Publish => ({
    is: 'publish', at: seq, storedAt: seq * 10, seq, conn: 'c', record: 'lease', key: 'lease.c', headers: {}, deleted: nonce === null,
    ...(nonce === null ? {} : { lease: { owner: `owner of ${nonce}`, nonce, run: 'r', n: 0, free: false } }),
  })

  it('end by release, by take-over, or not at all, whatever order they were heard in', () => {
    const heard = [message(5, 'c'), message(1, 'a'), message(3, null), message(2, 'a'), message(4, 'b')]
    expect(leasesIn(heard).map(({ fence, fromStoredAt, toStoredAt, endedBy }) => [fence, fromStoredAt, toStoredAt, endedBy])).toEqual([
      [1, 10, 30, 'release'],
      [4, 40, 50, 'take-over'],
      [5, 50, null, 'open'],
    ])
  })
})
