import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import { request } from '#libs/nats/request.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, text, until } from './right.ts'

const never = 2 ** 31 - 1

let server: TestServer
let bus: Bus
let other: Bus
const heard: string[] = []

const listen = async (answer: string | undefined): Promise<void> => {
  heard.length = 0
  subscribe(other, {
    subject: 'ask',
    handle: ({ body, answer: say }) => {
      heard.push(text(body) ?? '')
      if (answer !== undefined) say(bytes(answer))
    },
    onError: () => undefined,
  })
  await other.flush()
}

beforeEach(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  other = await connectTo(server)
})
afterEach(async () => {
  await bus.close()
  await other.close()
  await server.stop()
})

describe('requests of one turn', () => {
  it('leave together, in their order, with what is only told', async () => {
    await listen('yes')
    const writes: number[] = []
    const plain = bus.nc.publish.bind(bus.nc)
    let inThisTurn = 0
    bus.nc.publish = (...args) => {
      if (inThisTurn++ === 0) setImmediate(() => void (writes.push(inThisTurn), (inThisTurn = 0)))
      plain(...args)
    }
    const all = Array.from({ length: 50 }, async (_, n) => {
      for (let turns = 0; turns < n % 5; turns++) await Promise.resolve()
      return request(bus, 'ask', `${n}`, never)
    })
    bus.tell('ask', 'told')
    expect((await Promise.all(all)).every(({ _tag }) => _tag === 'Right')).toBe(true)
    await until(() => heard.length === 51)
    expect(writes).toEqual([51])
    const fives = heard.filter((one) => Number(one) % 5 === 0)
    expect(fives).toEqual([...fives].sort((a, b) => Number(a) - Number(b)))
  })

  it('are sent by a flush, and before the connection is closed', async () => {
    await listen(undefined)
    bus.tell('ask', 'one')
    await bus.flush()
    bus.tell('ask', 'two')
    await bus.close()
    await until(() => heard.length === 2)
    expect(heard).toEqual(['one', 'two'])
  })
})

describe('requests that nobody answers', () => {
  it('are told so when their own time is over, not sooner, and not with one that waits for longer', async () => {
    await listen(undefined)
    const from = performance.now()
    const told: string[] = []
    const asked = (name: string, ms: number) => request(bus, 'ask', name, ms).then((answer) => {
      told.push(name)
      return { answer, after: performance.now() - from }
    })
    const long = asked('long', never)
    const [late, soon] = await Promise.all([asked('late', 400), asked('soon', 100)])
    expect(told).not.toContain('long')
    expect(soon).toMatchObject({ answer: { _tag: 'Left', left: { is: 'timeout', subject: 'ask' } } })
    expect(soon.after).toBeGreaterThanOrEqual(99)
    expect(late.after).toBeGreaterThanOrEqual(399)
    await bus.close()
    expect((await long).answer).toMatchObject({ left: { is: 'timeout' } })
  })
})

describe('a request whose connection is cut off', () => {
  it('has no known outcome, and does not wait for its time', async () => {
    await listen(undefined)
    const asked = request(bus, 'ask', 'x', never)
    await until(() => heard.length === 1)
    await server.kill()
    expect(await asked).toEqual({ _tag: 'Left', left: { is: 'timeout', subject: 'ask' } })
    expect(await request(bus, 'ask', 'y', never)).toEqual({ _tag: 'Left', left: { is: 'disconnected' } })
    await server.restart()
    await until(() => bus.isConnected() && other.isConnected())
    await other.flush()
    expect(heard).toEqual(['x'])
  })
})
