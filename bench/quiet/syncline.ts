/**
 * Knows how quiet syncs are measured: nats-server, one sync-worker and one tracker, each a process of its own; whoever
 * calls it is the producer. A round publishes one work item for each connection and ends when everything is acknowledged.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { encode } from '#libs/contracts/decode.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, durables, messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { systemClock } from '#libs/clock.ts'
import { Connection } from '#libs/domain/connection.ts'
import { RunId, type ConnectionId } from '#libs/domain/ids.ts'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import { E } from '#libs/fp.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { consumerInfo } from '#libs/nats/stream-messages.ts'
import { systemRandom } from '#libs/random.ts'
import { connectTo } from '../../test/support/nats-server.ts'

export type Quiet = {
  /** Quiet syncs per second over one round: one work item for each connection. */
  readonly round: () => Promise<number>
  /** Plain publishes of 100 bytes per second on the same broker. */
  readonly raw: (messages: number) => Promise<number>
  readonly processes: () => Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
}

export type QuietOptions = {
  readonly connections: number
  /** How often nats-server flushes its files to the disk. Not given: its default of two minutes. */
  readonly syncInterval?: string
  readonly workerFlags?: ReadonlyArray<string>
  readonly trackerFlags?: ReadonlyArray<string>
}

const inFlight = 512
const lookEveryMs = 10

export const startQuiet = async ({ connections, syncInterval, workerFlags = [], trackerFlags = [] }: QuietOptions): Promise<Quiet> => {
  const storeDir = await mkdtemp(join(tmpdir(), 'syncline-bench-'))
  const server = orThrow(await startNatsServer({ host: '127.0.0.1', port: 0, storeDir, path: process.env['PATH'] ?? '', extra: process.env['BENCH_NATS_CONFIG'] ?? '', ...(syncInterval === undefined ? {} : { syncInterval }) })())
  const bus = await connectTo([server.url])
  const raw = { name: 'BENCH', subjects: ['bench.raw'], retention: 'limits' as const, discard: 'old' as const, maxMsgsPerSubject: 1000 }
  orThrow(await provision(bus)({ streams: [...streamDefs, raw], buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })())
  const env = { ...process.env, NATS_URL: server.url, TRACKER_HTTP_PORT: '0', SYNCLINE_LOG_LEVEL: 'warn' }
  const worker = fork(new URL('quiet-worker.ts', import.meta.url), [server.url, `${connections}`], { env, execArgv: [...workerFlags] })
  await up('sync-worker', worker)
  const tracker = fork(new URL('quiet-tracker.ts', import.meta.url), [server.url], { env, execArgv: [...trackerFlags] })
  await up('tracker', tracker)

  const ids = Array.from({ length: connections }, (_, n) => `c${n}` as ConnectionId)
  const documents = openBucket(bus)(buckets.connections)
  const flowOf = (n: number) => ({ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: `a${n}` }, destination: { provider: 'memory', store: `b${n}` } })
  await pool(connections, async (n) => {
    const connection = orThrow(Connection.decode({ id: ids[n], schedule: { kind: 'manual' }, flows: [flowOf(n)] }))
    orThrow(await documents.put(connection.id, encode(ConnectionDocument, { connection, appliedAt: Date.now() }))())
  })

  const send = publish(bus)
  let slot = 0
  const work = async (conn: ConnectionId): Promise<void> => {
    const run = orThrow(RunId.decode(systemRandom.ulid(Date.now())))
    const item: WorkItem = { conn, run, trigger: systemRandom.token(), cause: 'tick', lane: 'hot', revision: 1, askedAt: Date.now(), slot: ++slot }
    orThrow(await send(subjects.work('hot', conn), encode(WorkItem, item), { msgId: messageIds.tick(conn, slot), headers: {}, retryTimeouts: true })())
  }
  /** Results come before the work item's ack, so the lane is looked at first. */
  const settled = async (): Promise<void> => {
    for (;;) {
      const lane = orThrow(await consumerInfo(bus)(streams.work, durables.work('hot'))())
      const told = orThrow(await consumerInfo(bus)(streams.results, durables.results)())
      if (lane.pending + lane.ackPending + told.pending + told.ackPending === 0) return
      await systemClock.sleep(lookEveryMs)
    }
  }
  const round = async (): Promise<number> => {
    const from = performance.now()
    await pool(connections, (n) => work(ids[n] ?? ('' as ConnectionId)))
    await settled()
    return connections / ((performance.now() - from) / 1000)
  }
  return {
    round,
    raw: async (messages) => {
      const from = performance.now()
      await pool(messages, async () => void orThrow(await send('bench.raw', new Uint8Array(100), {})()))
      return messages / ((performance.now() - from) / 1000)
    },
    processes: () => ({ 'nats-server': server.pid, 'sync-worker': worker.pid ?? 0, tracker: tracker.pid ?? 0, producer: process.pid }),
    stop: async () => {
      const over = [once(worker, 'exit'), once(tracker, 'exit')]
      worker.disconnect()
      tracker.disconnect()
      await Promise.all(over)
      await bus.close()
      await server.stop()
      await rm(storeDir, { recursive: true, force: true })
    },
  }
}

const up = async (name: string, child: ChildProcess): Promise<void> => {
  const isUp = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)])
  if (!isUp) throw new Error(`the ${name} did not start`)
}

const pool = async (jobs: number, job: (n: number) => Promise<void>): Promise<void> => {
  let next = 0
  const hand = async (): Promise<void> => {
    while (next < jobs) await job(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, hand))
}

const orThrow = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}
