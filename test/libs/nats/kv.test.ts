import { pause } from '../../support/pause.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import { provision } from '#libs/nats/provision.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, text, until } from './right.ts'

let server: TestServer
let bus: Bus
const state = () => openBucket(bus)('state')

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  const buckets = [
    { name: 'state', history: 1, markerTtlMs: 2_000, allowAtomic: true },
    { name: 'history', history: 64, allowDirect: true },
  ]
  await right(provision(bus)({ streams: [], buckets, consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

describe('a bucket', () => {
  it('gives back what was put, read from the leader or from any replica', async () => {
    const revision = await right(state().put('a.b', bytes('one')))
    const entry = await right(state().get('a.b'))
    expect({ ...entry, value: text(entry?.value), created: 0 }).toEqual({ key: 'a.b', revision, value: 'one', created: 0, operation: 'put' })
    expect(Math.abs((entry?.created ?? 0) - Date.now())).toBeLessThan(60_000)
    await right(openBucket(bus)('history').put('a.b', bytes('two')))
    expect(text((await right(openBucket(bus)('history', { direct: true }).get('a.b')))?.value)).toBe('two')
    expect(await right(openBucket(bus)('history', { direct: true }).get('none'))).toBeUndefined()
    expect(await right(state().get('none'))).toBeUndefined()
  })

  it('creates only what is not there, a deleted key counting as not there', async () => {
    await right(state().create('c', bytes('1')))
    expect((await left(state().create('c', bytes('2')))).is).toBe('wrong-sequence')
    await right(state().delete('c'))
    expect((await right(state().get('c')))?.operation).toBe('del')
    await right(state().create('c', bytes('3')))
    expect(text((await right(state().get('c')))?.value)).toBe('3')
  })

  it('updates and purges only from the revision named', async () => {
    const first = await right(state().put('u', bytes('1')))
    const second = await right(state().update('u', bytes('2'), first))
    expect((await left(state().update('u', bytes('x'), first))).is).toBe('wrong-sequence')
    expect((await left(state().purge('u', { previousSeq: first }))).is).toBe('wrong-sequence')
    await right(state().purge('u', { previousSeq: second }))
    expect((await right(state().get('u')))?.operation).toBe('purge')
  })

  it('refuses a key that would be another subject', () => {
    for (const key of ['', 'a b', 'a.>', '*', '.a', 'a.', 'a..b', 'ä']) expect(() => state().get(key)).toThrow('is not a key')
  })

  it('says which bucket is missing', async () => {
    expect((await left(openBucket(bus)('nowhere').get('a'))).is).toBe('not-found')
    expect((await left(openBucket(bus)('nowhere').keys())).is).toBe('not-found')
  })
})

describe('a key with a TTL', () => {
  it('vanishes without a note of the server, which a deleted key leaves', async () => {
    const first = await right(state().putWithTtl('van', bytes('1'), { revision: 0, ttlSeconds: 600 }))
    expect((await left(state().vanish('van', { previousSeq: first - 1, ttlSeconds: 1 }))).is).toBe('wrong-sequence')
    const marker = await right(state().vanish('van', { previousSeq: first, ttlSeconds: 1 }))
    const seen = new Set<number>()
    await until(async () => {
      const entry = await right(state().get('van'))
      expect(entry?.value ?? null).toBeNull()
      if (entry !== undefined) seen.add(entry.revision)
      return entry === undefined
    })
    expect([...seen].filter((revision) => revision !== marker)).toEqual([])
    const deleted = await right(state().delete('van', { previousSeq: 0, ttlSeconds: 1 }))
    await until(async () => ((await right(state().get('van')))?.revision ?? 0) > deleted)
  })

  it('keeps it over renewals, expires after the last, and is then neither listed nor readable', async () => {
    // Who is not in time to renew it, on a machine that stood still, begins again.
    const renewed = async (n: number): Promise<readonly [key: string, revision: number]> => {
      const revision = await right(state().putWithTtl(`ttl.${n}`, bytes('1'), { revision: 0, ttlSeconds: 1 }))
      const longer = await state().putWithTtl(`ttl.${n}`, bytes('1'), { revision, ttlSeconds: 600 })()
      return longer._tag === 'Right' ? [`ttl.${n}`, longer.right] : renewed(n + 1)
    }
    const [key, revision] = await renewed(0)
    await pause(1_600)
    expect(await right(state().keys('ttl.*'))).toEqual([key])
    expect((await right(state().get(key)))?.revision).toBe(revision)

    const seen: Array<KvEntry> = []
    const watch = state().watch(key, (entry) => void seen.push(entry))
    await watch.ready
    const last = await right(state().putWithTtl(key, bytes('1'), { revision, ttlSeconds: 1 }))
    await until(() => seen.length === 3)
    await watch.stop()
    expect(seen.map(({ operation }) => operation)).toEqual(['put', 'put', 'purge'])
    expect(seen[2]?.revision).toBeGreaterThan(last)
    expect((await right(state().get(key)))?.value ?? null).toBeNull()
    expect(await right(state().keys('ttl.*'))).toEqual([])
    await right(state().create(key, bytes('next')))
  })
})

describe('listing', () => {
  it('knows an empty bucket at once, filters, and leaves out the dead', async () => {
    expect(await right(state().keys('list.>'))).toEqual([])
    for (const key of ['list.a', 'list.b', 'list.c']) await right(state().put(key, bytes(key)))
    await right(state().delete('list.b'))
    await right(state().purge('list.c'))
    expect(await right(state().keys('list.>'))).toEqual(['list.a'])
  })

  it('is whole while others write', async () => {
    const wanted = Array.from({ length: 300 }, (_, i) => `busy.${i}`)
    await Promise.all(wanted.map((key) => right(state().put(key, bytes('')))))
    let writing = true
    const noise = (async () => {
      for (let i = 0; writing; i++) await right(state().put(`busy.${i % 50}`, bytes(`${i}`)))
    })()
    for (let round = 0; round < 20; round++) expect((await right(state().keys('busy.*'))).toSorted()).toEqual(wanted.toSorted())
    writing = false
    await noise
  })

  it('tells the history of a key, oldest first', async () => {
    const bucket = openBucket(bus)('history')
    for (let i = 1; i <= 70; i++) await right(bucket.put('h', bytes(`${i}`)))
    const history = await right(bucket.history('h'))
    expect(history.map(({ value }) => text(value))).toEqual(Array.from({ length: 64 }, (_, i) => `${i + 7}`))
    expect(await right(bucket.history('none'))).toEqual([])
  })
})

describe('watching', () => {
  it('hands over what is there, says when, goes on, and is not stopped by a throw', async () => {
    const bucket = openBucket(bus)('history')
    await right(bucket.put('w.a', bytes('1')))
    await right(bucket.put('w.a', bytes('2')))
    const seen: KvEntry[] = []
    let throws = 0
    const watch = bucket.watch(
      'w.>',
      (entry) => {
        seen.push(entry)
        if (seen.length === 1) throw new Error('listener is broken')
      },
      { onError: () => void throws++ },
    )
    await watch.ready
    expect(seen.map(({ value }) => text(value))).toEqual(['2'])
    await right(bucket.put('w.b', bytes('3')))
    await right(bucket.delete('w.b'))
    await until(() => seen.length === 3)
    expect(seen.map(({ key, operation }) => `${key} ${operation}`)).toEqual(['w.a put', 'w.b put', 'w.b del'])
    expect(throws).toBe(1)
    await watch.stop()
  })

  it('is ready at once where nothing is, and sees an expiry', async () => {
    const seen: string[] = []
    const watch = state().watch('exp.>', (entry) => void seen.push(entry.operation))
    await watch.ready
    await right(state().putWithTtl('exp.a', bytes('1'), { revision: 0, ttlSeconds: 1 }))
    await until(() => seen.length === 2)
    expect(seen).toEqual(['put', 'purge'])
    await watch.stop()
  })

  it('goes on over a killed server, without missing or repeating anything', async () => {
    const seen: (string | null)[] = []
    const bucket = openBucket(bus)('history')
    await right(bucket.put('k.a', bytes('before')))
    const watch = bucket.watch('k.>', (entry) => void seen.push(text(entry.value)), { includeHistory: true })
    await watch.ready
    await server.kill()
    await server.restart()
    await until(async () => (await bucket.put('k.a', bytes('after'))())._tag === 'Right')
    await until(() => seen.length === 2)
    expect(seen).toEqual(['before', 'after'])
    await watch.stop()
  })
})
