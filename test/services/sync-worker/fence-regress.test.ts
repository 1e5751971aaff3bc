/** A store of leases that was lost or went back, while the tracker's buckets were kept, under a worker that has just started. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import { encode } from '#libs/contracts/decode.ts'
import { Status } from '#libs/contracts/status.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { right } from '../../libs/nats/right.ts'
import { startWorkerRig, type WorkerRig } from '../../support/worker-rig.ts'

const stores = { a: memoryStore('a'), b: memoryStore('b') }
let rig: WorkerRig
beforeAll(async () => {
  rig = await startWorkerRig(stores)
  for (const id of ['old', 'new']) await rig.apply(id, 'a', 'b')
  // Heard by the tracker, of a run whose lease had revision 100; the bucket of leases is at its beginning
  await right(openBucket(rig.bus)(buckets.status).put('old', encode(Status, { conn: 'old' as ConnectionId, state: 'idle', fence: 100, parked: 0, hasSyncToken: true, updatedAt: 1 })))
  await rig.start()
})
afterAll(() => rig.stop())

it('halts the connection whose fences were higher before anything is read or written, and no other', async () => {
  stores.a.put({ key: 'k', fields: { FN: 'k' } })
  expect(await rig.sync('old')).toMatchObject({ outcome: 'failed', flows: [], error: { is: 'fence-regress', message: expect.stringContaining('revision 100 was used by an earlier run') as unknown } })
  expect(stores.b.writes).toEqual([])
  expect(await rig.sync('new')).toMatchObject({ outcome: 'succeeded' })
})

it('goes on once the revisions were lifted as docs/operating.md says', async () => {
  for (let n = 0; n < 100; n++) await right(openBucket(rig.bus)(buckets.state).put('filler', new Uint8Array()))
  expect(await rig.sync('old')).toMatchObject({ outcome: 'succeeded' })
})
