import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StreamDef } from '#libs/contracts/definitions.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { publishMany } from '#libs/nats/publish-many.ts'
import { getMessage, streamInfo } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, text, until } from './right.ts'

let server: TestServer
let bus: Bus
const definitions = {
  streams: [
    { name: 'LOG', subjects: ['log.>'], retention: 'limits', discard: 'old' },
    {
      name: 'WORK',
      subjects: ['work.>'],
      retention: 'workqueue',
      discard: 'new',
      discardNewPerSubject: true,
      maxMsgsPerSubject: 1,
    },
    { name: 'SMALL', subjects: ['small'], retention: 'limits', discard: 'old', maxMsgSize: 10 },
  ],
  buckets: [{ name: 'state', history: 1, markerTtlMs: 2_000, allowAtomic: true }],
  consumers: [],
} as const

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await right(provision(bus)(definitions, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

describe('publishing into a stream', () => {
  it('answers the sequence, and says when a message was already there', async () => {
    const first = await right(publish(bus)('log.a', bytes('1'), { msgId: 'x' }))
    const again = await right(publish(bus)('log.b', bytes('2'), { msgId: 'x' }))
    expect(first.duplicate).toBe(false)
    expect(again).toEqual({ seq: first.seq, duplicate: true })
  })

  it('stores headers as they were given, but never a second line in one', async () => {
    const { seq } = await right(publish(bus)('log.h', bytes(''), { headers: { traceparent: '00-ab-cd-01', why: 'a\r\nNats-TTL: 1s' } }))
    const stored = await right(getMessage(bus)('LOG', { seq }))
    expect(stored?.headers).toEqual({ traceparent: '00-ab-cd-01', why: 'a Nats-TTL: 1s' })
  })

  it('refuses a stale expectation and tells the true sequence', async () => {
    const { seq } = await right(publish(bus)('log.c', bytes('1')))
    const failure = await left(publish(bus)('log.c', bytes('2'), { expect: { lastSubjectSequence: seq - 1 } }))
    expect(failure).toEqual({ is: 'wrong-sequence', lastSequence: seq })
  })

  it('accepts a write fenced by another subject until that moves', async () => {
    const lease = await right(publish(bus)('$KV.state.lease', bytes('me')))
    const fence = { expect: { lastSubjectSequence: lease.seq, lastSubjectSequenceSubject: '$KV.state.lease' } }
    await right(publish(bus)('$KV.state.ckpt', bytes('1'), fence))
    await right(publish(bus)('$KV.state.lease', bytes('me again')))
    expect((await left(publish(bus)('$KV.state.ckpt', bytes('2'), fence))).is).toBe('wrong-sequence')
  })

  it('will not fence on sequence 0, which the server would let pass', () => {
    const fence = { expect: { lastSubjectSequence: 0, lastSubjectSequenceSubject: '$KV.state.nobody' } }
    expect(() => publish(bus)('$KV.state.ckpt', bytes(''), fence)).toThrow('must not expect sequence 0')
  })

  it('is told when a capped subject is full, and only then that it is full', async () => {
    await right(publish(bus)('work.a', bytes('1')))
    expect((await left(publish(bus)('work.a', bytes('2')))).is).toBe('subject-full')
    await right(publish(bus)('work.b', bytes('1')))
  })

  it('names what is too large for the server, and for the stream', async () => {
    const failure = await left(publish(bus)('log.big', new Uint8Array(2_000_000)))
    expect(failure).toMatchObject({ is: 'too-large', bytes: 2_000_000, maxBytes: 1_048_576 })
    expect((await left(publish(bus)('small', new Uint8Array(100)))).is).toBe('too-large')
  })

  it('retries where nobody answers, then says so', async () => {
    const pending = publish(bus)('late.a', bytes('1'))()
    await right(provision(bus)({ streams: [{ ...definitions.streams[0], name: 'LATE', subjects: ['late.>'] }], buckets: [], consumers: [] }, { replicas: 1 }))
    expect((await pending)._tag).toBe('Right')
    expect(await left(publish(bus)('nowhere', bytes('')))).toEqual({ is: 'no-responders', subject: 'nowhere' })
  })
})

describe('publishing to whoever listens', () => {
  it('needs no stream', async () => {
    const heard: (string | null)[] = []
    const listening = subscribe(bus, { subject: 'talk', handle: (m) => void heard.push(text(m.body)), onError: () => undefined })
    publishCore(bus)('talk', bytes('hello'), { traceparent: 't' })
    await until(() => heard.length === 1)
    expect(heard).toEqual(['hello'])
    await listening.stop()
  })
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
    const sending = publishMany(bus)(many('untaken', 5), {})
    await right(bus.flush)
    await streamOf('untaken')
    expect(await sending).toEqual(new Map())
    expect((await right(streamInfo(bus)('UNTAKEN'))).messages).toBe(5)
  })

  it('that are none are stored at once', async () => {
    expect(await publishMany(bus)([], {})).toEqual(new Map())
  })
})
