import { afterEach, describe, expect, it } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { watchSoleReplica } from '#libs/nats/sole-replica.ts'
import type { SoleReplica } from '#libs/nats/sole-replica.ts'
import { readLastDirect } from '#libs/nats/stored-message.ts'
import { connectTo, startTestCluster, startTestServer } from '../../support/nats-server.ts'
import { bytes, right, text, until } from './right.ts'

const state = 'KV_state'
const ends: Array<() => Promise<unknown> | void> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const failures: Array<NatsFailure> = []
const watching = (bus: Bus): SoleReplica => {
  failures.length = 0
  const sole = watchSoleReplica(bus, state, (failure) => failures.push(failure))
  ends.push(sole.stop)
  return sole
}
const connected = async (...how: Parameters<typeof connectTo>): Promise<Bus> => {
  const bus = await connectTo(...how)
  ends.push(() => bus.close())
  return bus
}
const bucket = (allowDirect: boolean | 'with-one-replica') => ({ streams: [], buckets: [{ name: 'state', history: 1, allowDirect }], consumers: [] })

describe('a stream on one server', () => {
  const single = async (allowDirect: boolean | 'with-one-replica' = 'with-one-replica') => {
    const server = await startTestServer()
    ends.push(() => server.stop())
    const bus = await connected(server)
    await right(provision(bus)(bucket(allowDirect), { replicas: 1 }))
    return { server, bus }
  }

  it('is kept by it alone, also after its server was restarted', async () => {
    const { server, bus } = await single()
    const sole = watching(bus)
    expect(sole.isSole()).toBe(false) // not before it was asked
    await until(sole.isSole)
    await server.kill()
    await until(() => !sole.isSole())
    await server.restart()
    await until(sole.isSole)
    expect(failures).toEqual([])
  })

  it('is not believed where direct reads are off, from the moment they are switched off', async () => {
    const { bus } = await single()
    const sole = watching(bus)
    await until(sole.isSole)
    await bus.jsm.streams.update(state, { allow_direct: false })
    await until(() => !sole.isSole())
    await bus.jsm.streams.update(state, { allow_direct: true })
    await until(sole.isSole)
    sole.stop()
    expect(sole.isSole()).toBe(false)
  })

  it('is not believed when it is gone', async () => {
    const { bus } = await single()
    const sole = watching(bus)
    await until(sole.isSole)
    await bus.jsm.streams.delete(state)
    await until(() => !sole.isSole())
  })

  it('has a mirror that answers in its place, and is not taken for it', async () => {
    const { bus } = await single()
    await right(openBucket(bus)('state').put('k', bytes('true')))
    await bus.jsm.streams.add({ name: 'COPY', mirror: { name: state }, mirror_direct: true })
    await until(async () => (await bus.jsm.streams.info('COPY')).state.messages === 1)
    const answers = await Promise.all(Array.from({ length: 100 }, () => readLastDirect(bus, state, '$KV.state.k')))
    for (const answer of answers) {
      if (answer._tag === 'Right') expect(text(answer.right?.body)).toBe('true')
      else expect(answer.left).toMatchObject({ is: 'other', message: expect.stringContaining('answered by COPY') as string })
    }
    expect(answers.some(({ _tag }) => _tag === 'Left')).toBe(true)
  })
})

describe('who may not hear the news of the stream', () => {
  it.each([
    ['subscribe', '{ publish: ">", subscribe: "_INBOX.>" }'],
    ['publish', '{ publish: { deny: "$JS.API.STREAM.INFO.>" }, subscribe: ">" }'],
  ])('for want of the right to %s never believes that it is alone, and hears why once', async (_, permissions) => {
    const extra = `authorization { users: [ { user: admin, password: a }, { user: poor, password: p, permissions: ${permissions} } ] }`
    const server = await startTestServer({ extra })
    ends.push(() => server.stop())
    const admin = await connected(server, { credentials: { by: 'password', user: 'admin', password: 'a' } })
    await right(provision(admin)(bucket(true), { replicas: 1 }))
    const poor = await connected(server, { credentials: { by: 'password', user: 'poor', password: 'p' } })
    const sole = watching(poor)
    await until(() => failures.length > 0)
    await right(poor.flush)
    expect(sole.isSole()).toBe(false)
    expect(failures).toHaveLength(1)
  })
})

describe('a stream on a cluster', () => {
  it('that gets more replicas is not believed from then on, nor is one that had them', async () => {
    const cluster = await startTestCluster(3)
    ends.push(cluster.stop)
    const bus = await connected(cluster.urls)
    await right(provision(bus)(bucket('with-one-replica'), { replicas: 1 }))
    const sole = watching(bus)
    await until(sole.isSole)
    await bus.jsm.streams.update(state, { num_replicas: 3 })
    await until(() => !sole.isSole())
    await bus.jsm.streams.delete(state)
    await right(provision(bus)(bucket('with-one-replica'), { replicas: 3 }))
    expect((await bus.jsm.streams.info(state)).config.allow_direct).toBe(false)
    expect(sole.isSole()).toBe(false)
  })
})
