import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { durables, streams, subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { deleteMessage } from '#libs/nats/stream-messages.ts'
import { isOver } from '../../../services/sync-worker/nats-work-item.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'

let server: TestServer
let bus: Bus

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

describe('a work item that was delivered', () => {
  it('is over when somebody settled it, and not before', async () => {
    const { promise, resolve } = Promise.withResolvers<Delivery>()
    const held = Promise.withResolvers<void>()
    const lane = consume(bus, {
      stream: streams.work, consumer: durables.work('hot'), concurrency: 1, onError: () => undefined,
      handle: async (delivery) => {
        resolve(delivery)
        await held.promise
        return { is: 'done' }
      },
    })
    expect(E.isRight(await publish(bus)(subjects.work('hot', 'c' as ConnectionId), new Uint8Array())())).toBe(true)
    const delivery = await promise
    expect(await isOver(bus, delivery)).toBe(false)
    await deleteMessage(bus)(delivery.stream, delivery.seq)()
    expect(await isOver(bus, delivery)).toBe(true)
    held.resolve()
    await lane.stop()
  })

  it('is not over when nobody can say', async () => {
    expect(await isOver(bus, { stream: 'NO_SUCH_STREAM', seq: 1 })).toBe(false)
  })
})
