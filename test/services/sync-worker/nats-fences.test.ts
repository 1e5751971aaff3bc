import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encode } from '#libs/contracts/decode.ts'
import { Status } from '#libs/contracts/status.ts'
import { bucketDefs } from '#libs/contracts/streams.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { natsFences } from '../../../services/sync-worker/nats-fences.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'

const conn = (id: string): ConnectionId => id as ConnectionId

let server: TestServer
let bus: Bus
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await provision(bus)({ streams: [], buckets: bucketDefs, consumers: [] }, { replicas: 1 })()
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

describe('the highest fence that was heard of', () => {
  const put = async (id: string, body: Uint8Array): Promise<void> => {
    expect(E.isRight(await openBucket(bus)(buckets.status).put(id, body)())).toBe(true)
  }

  it('is what the status says', async () => {
    await put('known', encode(Status, { conn: conn('known'), state: 'idle', fence: 118, parked: 0, hasSyncToken: true, updatedAt: 1 }))
    expect(await natsFences(bus)(conn('known'))()).toEqual(E.right(118))
  })

  it('is none of a connection nobody heard of, or whose status was taken out', async () => {
    expect(await natsFences(bus)(conn('unknown'))()).toEqual(E.right(0))
    await put('gone', encode(Status, { conn: conn('gone'), state: 'idle', fence: 9, parked: 0, hasSyncToken: true, updatedAt: 1 }))
    await openBucket(bus)(buckets.status).purge('gone')()
    expect(await natsFences(bus)(conn('gone'))()).toEqual(E.right(0))
  })

  it('is not known when the status cannot be read', async () => {
    await put('odd', new TextEncoder().encode('{}'))
    expect(await natsFences(bus)(conn('odd'))()).toMatchObject({ left: { is: 'broken', message: expect.stringContaining('sync_status odd') as unknown } })
  })
})
