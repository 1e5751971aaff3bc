import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, right, until } from './right.ts'

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

/** As SIGSTOP does it: nothing of this process moves, its sockets fill. */
const standStill = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe.each([
  ['a process that must not take what it was sent while it stood still', 1_000, false],
  ['a process that may', undefined, true],
] as const)('%s', (_what, standstillMs, takesIt) => {
  it(takesIt ? 'takes the second delivery' : 'drops the second delivery, and goes on with a later one', async () => {
    const name = takesIt ? 'T' : 'D'
    const streams = [{ name, subjects: [`${name}.>`], retention: 'workqueue', discard: 'new' }] as const
    await right(provision(bus)({ streams, buckets: [], consumers: [{ stream: name, durable: 'w', ackWaitMs: 500, maxDeliver: 50, maxAckPending: 100 }] }, { replicas: 1 }))
    const seen: number[] = []
    let finish: () => void = () => undefined
    const first = new Promise<void>((resolve) => (finish = resolve))
    const consumption = consume(bus, {
      stream: name,
      consumer: 'w',
      concurrency: 2,
      expiresMs: 30_000,
      ...(standstillMs === undefined ? {} : { standstillMs }),
      handle: async ({ deliveryCount }) => {
        seen.push(deliveryCount)
        // ten times ack_wait, so that even a slow server has sent it again
        if (deliveryCount === 1) {
          standStill(5_000)
          await first
        }
        return { is: 'done' }
      },
      onError: () => undefined,
    })
    await right(publish(bus)(`${name}.x`, bytes('')))
    await until(() => seen.length > 1)
    expect(seen[1] === 2).toBe(takesIt)
    finish()
    await consumption.stop()
  })
})
