import { pause } from '../../support/pause.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import { consume } from '#libs/nats/consume.ts'
import type { ConsumeOptions } from '#libs/nats/consume.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { consumerInfo, streamInfo } from '#libs/nats/stream-messages.ts'
import type { Ack } from '#libs/nats/verdict-to-ack.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, right, text, until } from './right.ts'

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

const done: Ack = { is: 'done' }

/** A work queue with its consumer, some messages in it, and what was heard of it. */
const queue = async (name: string, messages: number, ackWaitMs = 30_000) => {
  const streams = [{ name, subjects: [`${name}.>`], retention: 'workqueue', discard: 'new' }] as const
  const consumers = [{ stream: name, durable: 'w', ackWaitMs, maxDeliver: 5, maxAckPending: 1_000 }]
  await right(provision(bus)({ streams, buckets: [], consumers }, { replicas: 1 }))
  for (let i = 0; i < messages; i++) await right(publish(bus)(`${name}.${i}`, bytes(`${i}`), { headers: { n: `${i}` } }))
  const failures: NatsFailure[] = []
  const start = (options: Pick<ConsumeOptions, 'handle'> & Partial<ConsumeOptions>) =>
    consume(bus, { stream: name, consumer: 'w', concurrency: 4, onError: (f) => void failures.push(f), ...options })
  const left = async () => (await right(streamInfo(bus)(name))).messages
  return { start, failures, left }
}

/** A connection whose subscriptions take their time to end: keeps open the gap between deciding to stop and stopping. */
const drainingSlowly = (inner: Bus, ms: number): Bus => {
  const subscribe: Bus['nc']['subscribe'] = (subject, options) => {
    const sub = inner.nc.subscribe(subject, options)
    const drain = sub.drain.bind(sub)
    sub.drain = () => pause(ms).then(drain)
    return sub
  }
  const nc = new Proxy(inner.nc, {
    get: (target, name) => {
      if (name === 'subscribe') return subscribe
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { ...inner, nc }
}

describe('consuming', () => {
  it('hands over each message with all that is known of it, and acknowledges it for good', async () => {
    const { start, left } = await queue('C1', 3)
    const seen: Delivery[] = []
    const consumption = start({ handle: async (d) => (seen.push(d), done) })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    expect(seen.map((d) => [d.subject, text(d.body), d.seq, d.stream, d.consumer, d.deliveryCount, d.header('n')])).toEqual([
      ['C1.0', '0', 1, 'C1', 'w', 1, '0'],
      ['C1.1', '1', 2, 'C1', 'w', 1, '1'],
      ['C1.2', '2', 3, 'C1', 'w', 1, '2'],
    ])
    expect(Math.abs((seen[0]?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  it('never has more in hand than it has hands', async () => {
    const { start, left } = await queue('C2', 30)
    let now = 0
    let most = 0
    let pendingAtServer = 0
    const consumption = start({
      concurrency: 3,
      handle: async () => {
        most = Math.max(most, ++now)
        pendingAtServer = Math.max(pendingAtServer, (await right(consumerInfo(bus)('C2', 'w'))).ackPending)
        now--
        return done
      },
    })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    expect(most).toBe(3)
    expect(pendingAtServer).toBeLessThanOrEqual(3)
  })

  it('outlives a handler that throws, and gives the message another chance', async () => {
    const { start, left, failures } = await queue('C3', 2)
    const counts: number[] = []
    const consumption = start({
      delayAfterThrowMs: () => 50,
      handle: async (d) => {
        counts.push(d.deliveryCount)
        if (d.deliveryCount === 1) throw new Error('boom')
        return done
      },
    })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    expect(counts.toSorted()).toEqual([1, 1, 2, 2])
    expect(failures.map((f) => f.is === 'other' && f.message)).toEqual(['handler threw: boom', 'handler threw: boom'])
  })

  it('brings a message back after the delay asked for, and not before', async () => {
    const { start, left } = await queue('C4', 1)
    const times: number[] = []
    const consumption = start({
      handle: async () => {
        times.push(Date.now())
        return times.length === 1 ? { is: 'again', delayMs: 400 } : done
      },
    })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    const waited = (times[1] ?? 0) - (times[0] ?? 0)
    expect(waited).toBeGreaterThanOrEqual(395)
    expect(waited).toBeLessThan(30_000) // which is ack_wait
  })

  it('takes a terminated message out, and leaves alone what is left', async () => {
    const { start, left } = await queue('C5', 2, 3_000)
    const seen: string[] = []
    const consumption = start({
      handle: async (d) => {
        seen.push(`${d.subject}/${d.deliveryCount}`)
        if (d.subject === 'C5.0') return { is: 'terminate', reason: 'hopeless\nindeed' }
        return d.deliveryCount === 1 ? { is: 'leave' } : done
      },
    })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    expect(seen).toEqual(['C5.0/1', 'C5.1/1', 'C5.1/2'])
  })

  it('keeps a message that takes longer than ack_wait, as long as it says it is working', async () => {
    const { start, left } = await queue('C6', 1, 4_000)
    const counts: number[] = []
    const consumption = start({
      handle: async (d) => {
        counts.push(d.deliveryCount)
        for (let i = 0; i < 20; i++) {
          await pause(250)
          await right(d.working)
        }
        return done
      },
    })
    await until(async () => (await left()) === 0)
    await consumption.stop()
    expect(counts).toEqual([1])
  })

  it('serves whoever comes later: two share what there is', async () => {
    const { start, left } = await queue('C7', 0)
    const by: string[] = []
    const one = start({ concurrency: 2, handle: async () => (by.push('one'), done) })
    const two = start({ concurrency: 2, handle: async () => (by.push('two'), done) })
    await until(async () => (await right(consumerInfo(bus)('C7', 'w'))).waitingPulls === 2)
    for (let i = 0; i < 40; i++) await right(publish(bus)(`C7.${i}`, bytes('')))
    await until(async () => (await left()) === 0)
    await Promise.all([one.stop(), two.stop()])
    expect(new Set(by)).toEqual(new Set(['one', 'two']))
  })

  it('reports a consumer that is missing, and works once it is there', async () => {
    const failures: NatsFailure[] = []
    const seen: string[] = []
    const consumption = consume(bus, {
      stream: 'C8',
      consumer: 'w',
      concurrency: 1,
      handle: async (d) => (seen.push(d.subject), done),
      onError: (f) => void failures.push(f),
    })
    await until(() => failures.length > 0)
    expect(failures[0]).toEqual({ is: 'no-responders', subject: '$JS.API.CONSUMER.MSG.NEXT.C8.w' })
    await queue('C8', 1)
    await until(async () => seen.length === 1 && (await right(consumerInfo(bus)('C8', 'w'))).waitingPulls === 1)
    await bus.jsm.consumers.delete('C8', 'w')
    await until(() => failures.some((f) => f.is === 'not-found'))
    await queue('C8', 1)
    await until(() => seen.length === 2)
    await consumption.stop()
  })
})

describe('stopping', () => {
  it('waits for what was begun and gives back at once what was not', async () => {
    const { start } = await queue('S1', 0)
    let finish: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (finish = resolve))
    const begun: string[] = []
    const first = consume(drainingSlowly(bus, 200), {
      stream: 'S1',
      consumer: 'w',
      concurrency: 2,
      handle: async (d) => (begun.push(d.subject), await gate, done),
      onError: () => undefined,
    })
    await until(async () => (await right(consumerInfo(bus)('S1', 'w'))).waitingPulls === 1)
    await right(publish(bus)('S1.a', bytes('')))
    await until(() => begun.length === 1)
    let stopped = false
    const stopping = first.stop().then(() => (stopped = true))
    await right(publish(bus)('S1.b', bytes(''))) // the server still has our pull, and answers it
    const second = start({ handle: async (d) => (begun.push(`second ${d.subject} ${d.deliveryCount}`), done) })
    await until(() => begun.length === 2, 20_000) // ack_wait would be 30 s
    expect(begun[1]).toBe('second S1.b 2')
    expect(stopped).toBe(false)
    finish()
    await stopping
    await second.stop()
    expect(first.inFlight()).toBe(0)
    expect((await right(streamInfo(bus)('S1'))).messages).toBe(0)
  })

  it('by a signal does the same', async () => {
    const { start } = await queue('S2', 1)
    const abort = new AbortController()
    const consumption = start({ handle: async () => done, signal: abort.signal })
    await until(async () => (await right(streamInfo(bus)('S2'))).messages === 0)
    abort.abort()
    await consumption.stopped
  })
})
