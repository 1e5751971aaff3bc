import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StreamDef } from '#libs/contracts/definitions.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { provision } from '#libs/nats/provision.ts'
import { publishMany } from '#libs/nats/publish-many.ts'
import { getMessage, streamInfo } from '#libs/nats/stream-messages.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, right, text } from './right.ts'

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

const streamOf = (name: string, more: Partial<StreamDef> = {}) =>
  right(provision(bus)({ streams: [{ name: name.toUpperCase(), subjects: [`${name}.>`], retention: 'limits', discard: 'old', ...more }], buckets: [], consumers: [] }, { replicas: 1 }))
const many = (name: string, count: number) => Array.from({ length: count }, (_, n) => ({ subject: `${name}.${n}`, body: bytes(`body ${n}`), msgId: `${name}:${n}` }))

describe('many messages', () => {
  it('are stored in their order, each with its id and the headers of all', async () => {
    await streamOf('order')
    expect(await publishMany(bus)(many('order', 500), { kind: 'a version', lines: 'one\r\ntwo' })).toEqual(new Map())
    for (const n of [0, 250, 499]) {
      const stored = await right(getMessage(bus)('ORDER', { seq: n + 1 }))
      expect([stored?.subject, text(stored?.body)]).toEqual([`order.${n}`, `body ${n}`])
      expect(stored?.headers).toEqual({ kind: 'a version', lines: 'one two', 'Nats-Msg-Id': `order:${n}` })
    }
  })

  it('sent again, are not stored again', async () => {
    await streamOf('again')
    await publishMany(bus)(many('again', 20), {})
    expect(await publishMany(bus)(many('again', 30), {})).toEqual(new Map())
    expect((await right(streamInfo(bus)('AGAIN'))).messages).toBe(30)
  })

  it('are stored but for those that the client or the server finds too large, which are named', async () => {
    await streamOf('large', { maxMsgSize: 10_000 })
    const messages = many('large', 10).map((message, n) => (n === 3 ? { ...message, body: new Uint8Array(20_000) } : n === 7 ? { ...message, body: new Uint8Array(2 * 1024 * 1024) } : message))
    const failures = await publishMany(bus)(messages, {})
    expect([...failures].map(([at, { is }]) => [at, is]).sort()).toEqual([[3, 'too-large'], [7, 'too-large']])
    expect((await right(streamInfo(bus)('LARGE'))).messages).toBe(8)
  })

  it('that nobody took are sent once more, and stored as soon as somebody does', async () => {
    const sending = publishMany(bus)(many('late', 5), {})
    await right(bus.flush)
    await streamOf('late')
    expect(await sending).toEqual(new Map())
    expect((await right(streamInfo(bus)('LATE'))).messages).toBe(5)
  })

  it('that are none are stored at once', async () => {
    expect(await publishMany(bus)([], {})).toEqual(new Map())
  })
})
