import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
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

/** Bytes of the file in which the server notes what the consumer `w` of a stream has delivered. */
const noted = async (dir: string, stream: string): Promise<number> => {
  const file = (await readdir(dir, { recursive: true })).find((path) => path.endsWith(join(stream, 'obs', 'w', 'o.dat')))
  return file === undefined ? 0 : (await stat(join(dir, file))).size
}

describe('when the server is killed', () => {
  it('consuming goes on after its restart, messages in hand included', async () => {
    const streams = [{ name: 'R', subjects: ['r.>'], retention: 'workqueue', discard: 'new' }] as const
    const consumers = [{ stream: 'R', durable: 'w', ackWaitMs: 30_000, maxDeliver: 5, maxAckPending: 100 }]
    await right(provision(bus)({ streams, buckets: [], consumers }, { replicas: 1 }))
    const seen: string[] = []
    let finish: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (finish = resolve))
    const consumption = consume(bus, {
      stream: 'R',
      consumer: 'w',
      concurrency: 2,
      handle: async (d) => {
        seen.push(`${d.subject}/${d.deliveryCount}`)
        if (d.subject === 'r.held') await gate
        return { is: 'done' }
      },
      onError: () => undefined,
    })
    const nothingNoted = await noted(server.dir, 'R')
    await right(publish(bus)('r.held', bytes('')))
    await until(() => seen.length === 1)
    // A moment later. Killed before, it would have forgotten the delivery and make it once more: at least once.
    await until(async () => (await noted(server.dir, 'R')) > nothingNoted)

    await server.kill()
    await until(() => !bus.isConnected())
    expect(await publish(bus)('r.x', bytes(''), { expect: { lastSubjectSequence: 0 } })()).toEqual({
      _tag: 'Left',
      left: { is: 'disconnected' },
    })
    finish() // its acknowledgement has to wait for the server
    const restarting = server.restart()
    await right(publish(bus)('r.after', bytes(''))) // retried until the connection is back
    await restarting
    await until(async () => (await right(streamInfo(bus)('R'))).messages === 0)
    expect(seen).toEqual(['r.held/1', 'r.after/1'])
    await consumption.stop()
  })

  it('a "done" that got lost with the connection is said again over the next one', async () => {
    const streams = [{ name: 'L', subjects: ['l.>'], retention: 'workqueue', discard: 'new' }] as const
    const consumers = [{ stream: 'L', durable: 'w', ackWaitMs: 600_000, maxDeliver: 5, maxAckPending: 100 }]
    await right(provision(bus)({ streams, buckets: [], consumers }, { replicas: 1 }))
    const lost: string[] = []
    const lossy: Bus = { ...bus, tell: (subject, ...rest) => (subject.startsWith('$JS.ACK.') && lost.length === 0 ? void lost.push(subject) : bus.tell(subject, ...rest)) }
    const seen: number[] = []
    const consumption = consume(lossy, {
      stream: 'L', consumer: 'w', concurrency: 2, unconfirmed: true,
      handle: async ({ deliveryCount }) => (seen.push(deliveryCount), { is: 'done' }),
      onError: () => undefined,
    })
    await right(publish(bus)('l.x', bytes('')))
    await until(() => lost.length === 1)
    await right(bus.flush)
    expect((await right(streamInfo(bus)('L'))).messages).toBe(1)
    // Killed later than the delivery was noted: otherwise it would be made again
    await until(async () => (await noted(server.dir, 'L')) > 0)
    await server.kill()
    await until(() => !bus.isConnected())
    await server.restart()
    await until(async () => bus.isConnected() && (await right(streamInfo(bus)('L'))).messages === 0)
    expect(seen).toEqual([1])
    await consumption.stop()
  })
})
