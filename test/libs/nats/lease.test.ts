import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { Bucket } from '#libs/nats/kv.ts'
import { leaseOn } from '#libs/nats/lease.ts'
import { provision } from '#libs/nats/provision.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, right, text, until } from './right.ts'

let server: TestServer
let bus: Bus
const bucket = () => openBucket(bus)('state')
const claim = (key: string, owner: string, ttlSeconds = 30) => ({
  key,
  value: bytes(owner),
  ttlSeconds,
  isMine: (value: Uint8Array) => text(value) === owner,
})

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

/** Counts what goes to the server, and can swallow the answer to one write, as a broken connection would. */
const watched = (inner: Bucket) => {
  const calls: string[] = []
  const swallow = { next: false }
  const seen: Bucket = {
    ...inner,
    get: (key) => (calls.push('get'), inner.get(key)),
    putWithTtl: (key, value, how) => {
      calls.push('put')
      const put = inner.putWithTtl(key, value, how)
      if (!swallow.next) return put
      swallow.next = false
      return TE.chain((): typeof put => TE.left({ is: 'timeout' }))(put)
    },
  }
  return { calls, swallow, bucket: seen }
}

describe('a lease', () => {
  it('is got in one round trip where nobody holds it, and again with the revision of its release', async () => {
    const { bucket: seen, calls } = watched(bucket())
    const lease = leaseOn(seen)
    const held = await right(lease.acquire(claim('l.one', 'me')))
    expect(calls).toEqual(['put'])
    const free = await right(lease.release('l.one', held.revision))
    const again = await right(lease.acquire(claim('l.one', 'me too'), free))
    expect(calls).toEqual(['put', 'put'])
    expect(again.revision).toBeGreaterThan(held.revision)
  })

  it('is got from a wrong guess too, by one look', async () => {
    const { bucket: seen, calls } = watched(bucket())
    const lease = leaseOn(seen)
    const held = await right(lease.acquire(claim('l.guess', 'me')))
    await right(lease.release('l.guess', held.revision))
    expect((await right(lease.acquire(claim('l.guess', 'you')))).is).toBe('held')
    expect(calls).toEqual(['put', 'put', 'get', 'put'])
  })

  it('leaves nothing behind when released', async () => {
    const held = await right(leaseOn(bucket()).acquire(claim('l.gone', 'me')))
    await right(leaseOn(bucket()).release('l.gone', held.revision))
    await until(async () => (await right(bucket().get('l.gone'))) === undefined)
  })

  it('names its holder to everybody else', async () => {
    const held = await right(leaseOn(bucket()).acquire(claim('l.busy', 'me')))
    const refused = await right(leaseOn(bucket()).acquire(claim('l.busy', 'you')))
    expect(refused).toMatchObject({ is: 'busy', revision: held.revision })
    expect(refused.is === 'busy' && text(refused.value)).toBe('me')
    expect(refused.is === 'busy' && refused.ageMs).toBeLessThan(5_000)
  })

  it('has one holder however many want it', async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => right(leaseOn(bucket()).acquire(claim('l.race', `w${i}`)))),
    )
    expect(results.filter(({ is }) => is === 'held')).toHaveLength(1)
  })

  it('goes to the next when the holder is silent, and the silent one learns it', async () => {
    const lease = leaseOn(bucket())
    const first = await right(lease.acquire(claim('l.dead', 'me', 1)))
    await until(async () => (await right(lease.acquire(claim('l.dead', 'you')))).is === 'held')
    const renewed = await right(lease.renew(claim('l.dead', 'me'), first.revision))
    expect(renewed).toMatchObject({ is: 'lost', holder: { value: bytes('you') } })
    expect(await right(lease.release('l.dead', first.revision))).toBeUndefined()
    expect(text((await right(bucket().get('l.dead')))?.value)).toBe('you')
  })

  it('is lost without a holder when it has just expired', async () => {
    const lease = leaseOn(bucket())
    const held = await right(lease.acquire(claim('l.expired', 'me', 1)))
    await until(async () => (await right(bucket().get('l.expired')))?.value === null)
    expect(await right(lease.renew(claim('l.expired', 'me'), held.revision))).toEqual({ is: 'lost' })
  })

  it('moves its revision with each renewal', async () => {
    const lease = leaseOn(bucket())
    const held = await right(lease.acquire(claim('l.renew', 'me')))
    const renewed = await right(lease.renew(claim('l.renew', 'me'), held.revision))
    expect(renewed.is === 'held' && renewed.revision).toBeGreaterThan(held.revision)
  })

  it('recognises its own acquisition and renewal whose answer got lost', async () => {
    const { bucket: seen, calls, swallow } = watched(bucket())
    const lease = leaseOn(seen)
    swallow.next = true
    const held = await right(lease.acquire(claim('l.lost', 'me')))
    expect(held.is).toBe('held')
    expect(calls).toEqual(['put', 'get'])
    swallow.next = true
    const renewed = await right(lease.renew(claim('l.lost', 'me'), held.revision))
    const stored = await right(bucket().get('l.lost'))
    expect(renewed).toEqual({ is: 'held', revision: stored?.revision })
    // two writes: the second is the barrier
    expect(stored?.revision).toBe(held.revision + 2)
  })
})
