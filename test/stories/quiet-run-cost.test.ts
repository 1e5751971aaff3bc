/**
 * What a quiet run really sends, counted on the worker's own connection to a real server: no round trip without a reason.
 * One delivery, one lease taken, one result, and neither the release nor the ack is answered (ADR 0019); no commit, because
 * nothing changed, and no checkpoint read, because nobody wrote it. The first run of a connection in a process looks once
 * whether the leases went back in time (ADR 0010); one that follows at once finds the freed lease's marker, and looks at it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { configOf } from '../../services/sync-worker/config.ts'
import * as worker from '../../services/sync-worker/start.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { pause } from '../support/pause.ts'
import { until } from '../support/processes.ts'

const runs = 6
/** A freed lease's marker lives for a second, and some time until the server comes to it. */
const apartMs = 1_500

let server: TestServer
let bus: Bus
let own: Bus
let service: RunningService
let a: MemoryStore

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) heard.get(result.right.run)?.(result.right)
    },
    onError: () => undefined,
  })
  a = memoryStore('a')
  const memory = memoryConnector(new Map([['a', { store: a }], ['b', { store: memoryStore('b') }], ['t', { store: memoryStore('t'), options: { transactional: true } }]]))
  own = await connectTo(server, { name: 'sync-worker' })
  service = await worker.start(
    configOf(readEnv({})),
    { bus: own, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
    new Map([[memory.provider, memory]]),
  )
})
afterAll(async () => {
  await service.stop()
  await own.close()
  await bus.close()
  await server.stop()
})

const apply = async (id: string, flow: Record<string, unknown>): Promise<Connection> => {
  const connection = Connection.decode({ id, schedule: { kind: 'manual' }, flows: [{ id: 'main', kind: 'contact', source: { provider: 'memory', store: 'a' }, ...flow }] })
  if (E.isLeft(connection)) throw new Error('not a connection')
  await openBucket(bus)(buckets.connections).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
  return connection.right
}

const heard = new Map<string, (result: RunResult) => void>()

const sync = async ({ id }: Connection): Promise<RunResult> => {
  const run = systemRandom.ulid(Date.now()) as WorkItem['run']
  const item: WorkItem = { conn: id, run, trigger: systemRandom.token(), cause: 'tick', lane: 'hot', revision: 1, askedAt: Date.now() }
  const ended = new Promise<RunResult>((resolve) => heard.set(run, resolve))
  // Refused as long as the run before is not acked.
  for (let tries = 0; E.isLeft(await publish(bus)(subjects.work('hot', id), encode(WorkItem, item))()); tries++) if (tries > 100_000) throw new Error(`${id} stays busy`)
  return ended
}

const acked = (): Promise<void> => until('the last ack', async () => (await bus.jsm.streams.info(streams.work)).state.messages === 0)

/** Messages that leave the worker while `what` goes on, by what they are for; checked against the client's own count. `asking`: those that want an answer. */
const counted = async (what: () => Promise<void>): Promise<{ readonly sent: Readonly<Record<string, number>>; readonly asking: ReadonlySet<string> }> => {
  const sent: Record<string, number> = {}
  const asking = new Set<string>()
  const plain = own.nc.publish.bind(own.nc)
  own.nc.publish = (subject, ...rest) => {
    const kind = kindOf(subject, rest[1]?.headers?.get('KV-Operation'))
    sent[kind] = (sent[kind] ?? 0) + 1
    if (rest[1]?.reply !== undefined) asking.add(kind)
    plain(subject, ...rest)
  }
  const before = own.nc.stats()
  await what()
  const after = own.nc.stats()
  own.nc.publish = plain
  expect(Object.values(sent).reduce((sum, n) => sum + n, 0)).toBe(after.outMsgs - before.outMsgs)
  return { sent, asking }
}

const kindOf = (subject: string, operation: string | undefined): string => {
  if (subject.startsWith('$KV.sync_state.lease.')) return operation === 'PURGE' ? 'release' : 'acquire'
  if (subject.startsWith('$KV.sync_state.')) return 'commit'
  if (subject === '$JS.API.STREAM.MSG.GET.KV_sync_state') return 'read from the leader'
  if (subject.startsWith('$JS.API.DIRECT.GET.KV_sync_state.')) return 'read'
  if (subject === '$JS.API.STREAM.MSG.GET.KV_sync_status') return 'look at the highest fence'
  if (subject.startsWith('$JS.ACK.')) return 'ack'
  if (subject.startsWith('$JS.API.CONSUMER.MSG.NEXT.')) return 'pull'
  return subject.split('.').slice(0, 2).join('.')
}

it.each([
  ['two-way', { direction: 'two-way', destination: { provider: 'memory', store: 'b' } }, 1],
  ['one-way into a destination that keeps the checkpoint itself', { direction: 'one-way', destination: { provider: 'memory', store: 't' } }, 0],
] as const)('%s', async (name, flow, reads) => {
  const connection = await apply(name === 'two-way' ? 'two' : 'one', flow)
  for (let n = 0; n < 50; n++) a.put({ key: `k${n}`, fields: { FN: `${n}` } })
  const first = await counted(async () => {
    expect((await sync(connection)).flows[0]?.counts.created).toBe(50)
    await acked()
  })
  expect(first.sent['look at the highest fence']).toBe(1)
  await sync(connection) // takes the echo of the first run's writes
  await acked()

  const { sent, asking } = await counted(async () => {
    for (let n = 0; n < runs; n++) {
      await pause(apartMs)
      expect((await sync(connection)).quiet).toBe(true)
      await acked()
    }
  })
  const { pull = 0, 'sync.progress': progress = 0, acquire = 0, 'read from the leader': looked = 0, ...perRun } = sent
  // A machine that stood still: the marker of the lease is still there.
  expect(acquire).toBe(runs + looked)
  expect(looked).toBeLessThan(runs / 2)
  expect(perRun).toEqual({ release: runs, 'sync.result': runs, ack: runs, ...(reads === 0 ? {} : { read: reads }) })
  // Said of runs that last, as one does when the machine is busy.
  expect(progress).toBeLessThan(runs / 2)
  expect(pull).toBeLessThan(runs * 3)
  expect([...asking].filter((kind) => kind === 'release' || kind === 'ack')).toEqual([])

  const hurried = await counted(async () => {
    await sync(connection)
    await acked()
  })
  expect(hurried.sent).toMatchObject({ acquire: 2, 'read from the leader': 1, release: 1, 'sync.result': 1, ack: 1 })
  expect(hurried.sent['read']).toBeUndefined()
})
