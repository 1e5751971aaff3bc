import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { assertServerVersion, isAtLeast } from '#libs/nats/server-version.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, rightOf, text, until } from './right.ts'

let server: TestServer

const users = `
authorization {
  users: [
    { user: admin, password: a }
    { user: worker, password: w, permissions: {
        publish: ["$KV.state.>", "$JS.API.STREAM.MSG.GET.KV_state"]
        subscribe: ["_INBOX_worker.>"] } }
  ]
}`
const admin = { by: 'password', user: 'admin', password: 'a' } as const
const worker = { by: 'password', user: 'worker', password: 'w' } as const

beforeAll(async () => {
  server = await startTestServer({ extra: users })
  const bus = await connectTo(server, { credentials: admin })
  await right(provision(bus)({ streams: [], buckets: [{ name: 'state', history: 1, markerTtlMs: 2_000 }], consumers: [] }, { replicas: 1 }))
  await bus.close()
})
afterAll(() => server.stop())

describe('connecting', () => {
  it('where nothing listens fails at once and names the place', async () => {
    const failure = await left(connect({ servers: ['nats://127.0.0.1:1'], name: 't' }))
    expect(describeNatsFailure(failure)).toMatch(/^cannot connect to NATS at nats:\/\/127\.0\.0\.1:1: /)
  })

  it('with wrong credentials is denied', async () => {
    const failure = await left(connect({ servers: [server.url], name: 't', credentials: { ...admin, password: 'x' } }))
    expect(failure.is).toBe('denied')
    const patient = connect({ servers: [server.url], name: 't', credentials: { ...admin, password: 'x' }, waitOnFirstConnect: true, reconnectWaitMs: 50 })
    expect((await left(patient)).is).toBe('denied')
  })

  it('never shows a password of the address', async () => {
    const failure = await left(connect({ servers: ['nats://me:secret@127.0.0.1:1'], name: 't' }))
    expect(describeNatsFailure(failure)).not.toContain('secret')
  })

  it('tells how far away the server is and which version it has', async () => {
    const bus = await connectTo(server, { credentials: admin })
    expect(await right(bus.rtt)).toBeGreaterThanOrEqual(0)
    expect(rightOf(assertServerVersion(bus, '2.12.0'))).toBe(bus.serverVersion())
    const refused = assertServerVersion(bus, '99.0.0')
    expect(refused).toEqual({ _tag: 'Left', left: { is: 'old-server', found: bus.serverVersion(), needed: '99.0.0' } })
    await bus.drain()
    expect(await bus.closed).toBeUndefined()
  })

  it.each([
    ['2.12.5', '2.12.0', true],
    ['2.12.5', '2.12.14', false],
    ['2.14.0-RC.1', '2.12.14', true],
    ['2.9.10', '2.12.0', false],
    ['3.0.0', '2.12.14', true],
  ])('%s is at least %s: %s', (found, needed, expected) => {
    expect(isAtLeast(found, needed)).toBe(expected)
  })
})

describe('a user with few rights', () => {
  it('can do what the rights are for, and is told by subject what they are not for', async () => {
    const bus = await connectTo(server, { credentials: worker, inboxPrefix: '_INBOX_worker' })
    const heard: NatsFailure[] = []
    bus.onFailure((failure) => void heard.push(failure))
    const bucket = openBucket(bus)('state')
    await right(bucket.put('a', bytes('1')))
    expect(text((await right(bucket.get('a')))?.value)).toBe('1')
    const denied = await left(publish(bus)('other.subject', bytes('')))
    expect(denied).toMatchObject({ is: 'denied', subject: 'other.subject' })
    expect(heard).toMatchObject([{ is: 'denied', subject: 'other.subject' }])
    await bus.close()
  })

  it('without the right to its own inbox is denied every answer', async () => {
    const bus = await connectTo(server, { credentials: worker })
    expect((await left(openBucket(bus)('state').get('a'))).is).toBe('denied')
    await bus.close()
  })
})

describe('a connection that breaks', () => {
  it('says so, comes back by itself and says that too', async () => {
    const bus = await connectTo(server, { credentials: admin })
    const events: string[] = []
    bus.onDisconnect(() => void events.push('gone'))
    const off = bus.onReconnect(() => void events.push('back'))
    await server.kill()
    await until(() => !bus.isConnected())
    expect((await left(openBucket(bus)('state').get('a'))).is).toBe('disconnected')
    await server.restart()
    await until(() => bus.isConnected())
    expect(events).toEqual(['gone', 'back'])
    off()
    expect(text((await right(openBucket(bus)('state').get('a')))?.value)).toBe('1')
    await bus.close()
    expect((await left(openBucket(bus)('state').get('a'))).is).toBe('disconnected')
  })
})
