import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import type { NatsServer } from '#libs/embedded/nats-server.ts'
import { other } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import { holdBlock } from '#libs/nats/hold-block.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { E } from '#libs/fp.ts'
import { connectTo } from '../../support/nats-server.ts'
import { right } from './right.ts'

describe('who tells a block-holder of deliveries', () => {
  const delivered = (seq: number, more: Partial<Delivery> = {}): Delivery =>
    ({ stream: 'S', seq, deliveryCount: 1, pending: 0, ...more }) as Delivery
  const asked: Array<string> = []
  const answering = (answer: E.Either<NatsFailure, never>): Bus =>
    ({ isConnected: () => true, request: (_subject: string, body: string) => Promise.resolve((asked.push(body), answer)) }) as unknown as Bus

  it('has it look back once in a while, at the message before the newest', () => {
    asked.length = 0
    const hold = holdBlock(answering(E.left({ is: 'timeout' })), () => undefined)
    for (let seq = 10; seq < 100; seq++) hold(delivered(seq))
    expect(asked).toEqual(['{"seq":9}'])
  })

  it.each([
    ['more is waiting behind it', delivered(10, { pending: 3 })],
    ['it comes again', delivered(10, { deliveryCount: 2 })],
    ['nothing stands before it', delivered(1)],
  ])('is spared when %s', (_why, delivery) => {
    asked.length = 0
    holdBlock(answering(E.left({ is: 'timeout' })), () => undefined)(delivery)
    expect(asked).toEqual([])
  })

  it('hears once that the right is missing, and of nothing else that fails', async () => {
    const told: Array<NatsFailure> = []
    const denied: NatsFailure = { is: 'denied', message: 'no' }
    holdBlock(answering(E.left(denied)), (failure) => told.push(failure))(delivered(10))
    holdBlock(answering(E.left(other('down'))), (failure) => told.push(failure))(delivered(10))
    await Promise.resolve().then(() => new Promise((done) => setImmediate(done)))
    expect(told).toMatchObject([{ is: 'denied' }])
  })
})

describe.runIf(process.platform === 'linux')('a stream whose consumer keeps up with it', () => {
  let dir: string
  let server: NatsServer
  let bus: Bus
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'syncline-hold-'))
    server = await right(startNatsServer({ host: '127.0.0.1', port: 0, storeDir: dir }))
    bus = await connectTo([server.url])
  })
  afterAll(async () => {
    await bus.close()
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const bytesRead = async () => Number(/rchar: (\d+)/.exec(await readFile(`/proc/${server.pid}/io`, 'utf8'))?.[1])

  /** Bytes that the server reads for each of some messages, each consumed before the next is published; 3 MB stand before them. */
  const readForEach = async (name: string, holdsBlock: boolean): Promise<number> => {
    const streams = [{ name, subjects: [`${name}.>`], retention: 'limits', discard: 'old' }] as const
    const consumers = [{ stream: name, durable: 'c', ackWaitMs: 30_000, maxDeliver: 5, maxAckPending: 1_000 }]
    await right(provision(bus)({ streams, buckets: [], consumers }, { replicas: 1 }))
    let heard: () => void = () => undefined
    let next = Promise.withResolvers<void>()
    heard = () => next.resolve()
    const consumption = consume(bus, {
      stream: name, consumer: 'c', concurrency: 4, holdsBlock, onError: () => undefined,
      handle: () => Promise.resolve((heard(), { is: 'done' as const })),
    })
    const one = async (size: number) => {
      next = Promise.withResolvers<void>()
      await right(publish(bus)(`${name}.x`, new Uint8Array(size)))
      await next.promise
    }
    for (let i = 0; i < 6; i++) await one(500_000)
    const before = await bytesRead()
    const rounds = 100
    for (let i = 0; i < rounds; i++) await one(100)
    const after = await bytesRead()
    await consumption.stop()
    return (after - before) / rounds
  }

  it('costs the server a tenth of the reading when the consumer holds the block', async () => {
    const without = await readForEach('WITHOUT', false)
    const held = await readForEach('HELD', true)
    // a server that does not drop its block any more makes both small, and the look back superfluous
    expect(held).toBeLessThan(Math.max(without / 10, 300_000))
    expect(without).toBeGreaterThan(0)
  })
})
