/** A lease given back stays given back, also when nats-server is killed afterwards and started again. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bucketDefs } from '#libs/contracts/streams.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { provision } from '#libs/nats/provision.ts'
import { natsState } from '../../services/sync-worker/nats-state.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { until } from '../support/processes.ts'

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

it('is free after the server was killed', async () => {
  const conn = 'c1' as ConnectionId
  const state = natsState(bus, Date.now)
  const entry = { owner: 'w', nonce: 'n', run: 'r', n: 0, free: false }
  const held = await state.writeLease(conn, entry, 0, 30)()
  const dropped = await state.dropLease(conn, E.isRight(held) ? held.right : 0)()
  expect(E.isRight(dropped)).toBe(true)
  await until('the marker is gone', async () => {
    const seen = await state.readLease(conn)()
    return E.isRight(seen) && seen.right.revision === 0
  })
  await server.kill()
  await server.restart()
  await until('the server answers', async () => E.isRight(await state.readLease(conn)()))
  expect(await state.readLease(conn)()).toMatchObject({ right: { entry: null } })
  await until('it can be taken by whoever expects none', async () => E.isRight(await state.writeLease(conn, entry, 0, 30)()))
})
