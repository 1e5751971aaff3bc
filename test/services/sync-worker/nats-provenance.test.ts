/** The registry of provenance on a real server, alone and under a worker that was given a ring of connections. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import { decode } from '#libs/contracts/decode.ts'
import { ProvenanceEntry } from '#libs/contracts/provenance.ts'
import { bucketDefs } from '#libs/contracts/streams.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { provenanceKey, type Provenance } from '#libs/domain/provenance.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { natsProvenance } from '../../../services/sync-worker/nats-provenance.ts'
import { right, rightOf } from '../../libs/nats/right.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'
import { startWorkerRig, type WorkerRig } from '../../support/worker-rig.ts'

let server: TestServer
let bus: Bus
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await right(provision(bus)({ streams: [], buckets: bucketDefs, consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

const entry: Provenance = { root: { place: 'a', key: 'k' }, hops: ['a'], conn: 'x', flow: 'main', at: 1 }

describe('the registry', () => {
  it('keeps entries, each write conditional on what stands there', async () => {
    const registry = natsProvenance(bus, () => true)
    const key = provenanceKey('b', 'k')
    expect(await right(registry.read([key]))).toEqual(new Map([[key, { value: null, revision: 0 }]]))
    const revision = await right(registry.write(key, entry, 0))
    expect(await right(registry.read([key]))).toEqual(new Map([[key, { value: entry, revision }]]))
    expect(await registry.write(key, entry, 0)()).toEqual(E.left({ is: 'refused' }))
    expect(await registry.remove(key, revision + 7)()).toEqual(E.left({ is: 'refused' }))
    expect(await registry.remove(key, revision)()).toEqual(E.right(undefined))
    const gone = (await right(registry.read([key]))).get(key)
    expect(gone?.value).toBeNull()
    expect(E.isRight(await registry.write(key, entry, gone?.revision ?? 0)())).toBe(true)
  })

  it('reads many at once', async () => {
    const registry = natsProvenance(bus, () => true)
    const keys = Array.from({ length: 300 }, (_, n) => provenanceKey('many', `${n}`))
    await Promise.all(keys.slice(0, 150).map((key) => right(registry.write(key, entry, 0))))
    const found = await right(registry.read(keys))
    expect([...found.values()].filter(({ value }) => value !== null)).toHaveLength(150)
    expect(found.size).toBe(300)
  })

  it('is not believed where it cannot be read', async () => {
    await right(openBucket(bus)(buckets.provenance).put('odd.one', new TextEncoder().encode('{}')))
    expect(await natsProvenance(bus, () => true).read(['odd.one'])()).toMatchObject({ left: { is: 'broken', message: expect.stringContaining('sync_provenance odd.one') as unknown } })
  })
})

describe('a worker whose connections form a ring', () => {
  const stores = { a: memoryStore('a'), b: memoryStore('b'), c: memoryStore('c') }
  let rig: WorkerRig
  beforeAll(async () => {
    rig = await startWorkerRig(stores)
    for (const [id, source, destination] of [['ab', 'a', 'b'], ['bc', 'b', 'c'], ['ca', 'c', 'a']] as const) await rig.apply(id, source, destination)
    await rig.start()
  })
  afterAll(() => rig.stop())

  it('notes where copies came from, does not bring back what was deleted, and is silent in the end', async () => {
    const { bus: its, sync } = rig
    for (const key of ['stays', 'goes']) stores.a.put({ key, fields: { FN: key } })
    for (const conn of ['ab', 'bc']) expect(await sync(conn)).toMatchObject({ outcome: 'succeeded' })
    const noted = await right(openBucket(its)(buckets.provenance).get(provenanceKey('memory:c', 'goes')))
    expect(rightOf(decode(ProvenanceEntry, noted?.value ?? new Uint8Array()))).toMatchObject({ root: { place: 'memory:a', key: 'goes' }, hops: ['memory:a', 'memory:b'], conn: 'bc' })
    stores.a.removeKey('goes')
    for (const conn of ['ca', 'ab', 'bc', 'ca', 'ab', 'bc']) expect(await sync(conn)).toMatchObject({ outcome: 'succeeded' })
    for (const store of Object.values(stores)) expect(store.all().map(({ key }) => key)).toEqual(['stays'])
    const writes = (): number => Object.values(stores).reduce((sum, store) => sum + store.writes.length, 0)
    const before = writes()
    for (const conn of ['ab', 'bc', 'ca', 'ab', 'bc', 'ca']) expect(await sync(conn)).toMatchObject({ outcome: 'succeeded', quiet: true })
    expect(writes()).toBe(before)
    // What is gone left no note
    expect((await right(openBucket(its)(buckets.provenance).get(provenanceKey('memory:c', 'goes'))))?.value ?? null).toBeNull()
  })
})
