/**
 * Quiet syncs per second, end to end: work item published → lease → checkpoint → both sides read → result → status and
 * statistics folded by the tracker → everything acked; beside the same broker's raw publish rate in the same run.
 * Run: node bench/noop.bench.ts [syncs=20000] [rounds=3]. What is and is not measured: bench/README.md.
 */
import { spawn } from 'node:child_process'
import { systemClock } from '#libs/clock.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { encode } from '#libs/contracts/decode.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, connectionInSubject, durables, messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { RunId, type ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { consumerInfo } from '#libs/nats/stream-messages.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { configOf } from '../services/sync-worker/config.ts'
import { start as startWorker } from '../services/sync-worker/start.ts'
import { connectTo, startTestServer } from '../test/support/nats-server.ts'

const syncs = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 3)
const connections = 1_024
const inFlight = 512

const orThrow = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

const pool = async (jobs: number, job: (n: number) => Promise<void>): Promise<void> => {
  let next = 0
  const hand = async (): Promise<void> => {
    while (next < jobs) await job(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, hand))
}

const rate = async (jobs: number, job: (n: number) => Promise<void>): Promise<number> => {
  const from = performance.now()
  await pool(jobs, job)
  return jobs / ((performance.now() - from) / 1000)
}

const server = await startTestServer()
const bus = await connectTo(server)
orThrow(await provision(bus)({ streams: [...streamDefs, { name: 'BENCH', subjects: ['bench.raw'], retention: 'limits', discard: 'old', maxMsgsPerSubject: 1000 }], buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })())
const stores = new Map<string, { store: MemoryStore }>()
for (const name of ['a', 'b']) stores.set(name, { store: memoryStore(name) })
const memory = memoryConnector(stores)
const worker = await startWorker(
  configOf(readEnv({ WORKER_HOT_CONCURRENCY: '256' })),
  { bus: await connectTo(server, { name: 'sync-worker' }), version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
  new Map([[memory.provider, memory]]),
)
const tracker = spawn(process.execPath, ['services/tracker/main.ts'], { env: { ...process.env, NATS_URL: server.url, TRACKER_HTTP_PORT: '0', SYNCLINE_LOG_LEVEL: 'warn' }, stdio: ['ignore', 'inherit', 'inherit'] })

const ids = Array.from({ length: connections }, (_, n) => `c${n}`)
const bucket = openBucket(bus)(buckets.connections)
await pool(connections, async (n) => {
  const connection = orThrow(Connection.decode({ id: ids[n], schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: 'a' }, destination: { provider: 'memory', store: 'b' } }] }))
  orThrow(await bucket.put(connection.id, encode(ConnectionDocument, { connection, appliedAt: Date.now() }))())
})

const send = publish(bus)
let serial = 0
const work = async (conn: string): Promise<void> => {
  const id = conn as ConnectionId
  const run = orThrow(RunId.decode(systemRandom.ulid(Date.now())))
  const item: WorkItem = { conn: id, run, trigger: systemRandom.token(), cause: 'tick', lane: 'hot', revision: 1, askedAt: Date.now(), slot: ++serial }
  for (;;) {
    const stored = await send(subjects.work('hot', id), encode(WorkItem, item), { msgId: messageIds.tick(id, serial), headers: {} })()
    if (E.isRight(stored)) return
    if (stored.left.is !== 'subject-full') throw new Error(JSON.stringify(stored.left))
    // The result was heard before the work item was acked: one more try is enough, a tight loop would drown the server.
    await systemClock.sleep(2)
  }
}

/** Resolves when the run of this connection that was asked for last has said its result. */
const ended = new Map<string, () => void>()
subscribe(bus, {
  subject: subjects.results,
  handle: ({ subject }) => ended.get(connectionInSubject(subject))?.(),
  onError: () => undefined,
})
const workAndWait = (conn: string): Promise<void> =>
  new Promise((done, fail) => {
    ended.set(conn, done)
    work(conn).catch(fail)
  })

const settled = async (on: Bus): Promise<void> => {
  for (;;) {
    const lane = orThrow(await consumerInfo(on)(streams.work, durables.work('hot'))())
    const told = orThrow(await consumerInfo(on)(streams.results, durables.results)())
    if (lane.pending + lane.ackPending + told.pending + told.ackPending === 0) return
    await systemClock.sleep(5)
  }
}

const endToEnd = async (count: number): Promise<number> => {
  const from = performance.now()
  // A closed loop: each connection is asked again when its last run has ended, as many at once as there are hands.
  const hands = Math.min(inFlight, connections)
  let asked = 0
  await Promise.all(Array.from({ length: hands }, async (_, hand) => {
    for (let turn = 0; asked < count; turn++) {
      asked++
      await workAndWait(ids[(hand + turn * hands) % (connections - (connections % hands))] ?? '')
    }
  }))
  await settled(bus)
  return count / ((performance.now() - from) / 1000)
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

await endToEnd(connections * 2) // first syncs, and a warm-up
const raw: Array<number> = []
const quiet: Array<number> = []
for (let round = 0; round < rounds; round++) {
  raw.push(await rate(syncs, async () => void orThrow(await send('bench.raw', new Uint8Array(100), {})())))
  quiet.push(await endToEnd(syncs))
  process.stdout.write(`round ${round + 1}: raw publish ${Math.round(raw.at(-1) ?? 0)}/s, quiet syncs ${Math.round(quiet.at(-1) ?? 0)}/s\n`)
}
process.stdout.write(`median: raw publish ${Math.round(median(raw))}/s, quiet syncs ${Math.round(median(quiet))}/s, ratio ${(median(quiet) / median(raw)).toFixed(3)}\n`)

tracker.kill()
await worker.stop()
await server.stop()
process.exit(0)
