/**
 * A sync-worker on a real NATS server, over memory stores named by the connections, with nobody else there: a test puts
 * documents and work items itself, and hears the results.
 */
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { systemClock } from '#libs/clock.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import type { MemoryStore } from '#libs/connectors/memory/store.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { right, until } from '../libs/nats/right.ts'
import { configOf } from '../../services/sync-worker/config.ts'
import * as worker from '../../services/sync-worker/start.ts'
import { connectTo, startTestServer } from './nats-server.ts'

export type WorkerRig = {
  readonly bus: Bus
  /** A two-way connection between two of the stores. */
  readonly apply: (id: string, source: string, destination: string) => Promise<void>
  readonly start: () => Promise<RunningService>
  /** Resolves once the run is told and its work item is gone. */
  readonly sync: (conn: string) => Promise<RunResult>
  readonly stop: () => Promise<void>
}

export const startWorkerRig = async (stores: Readonly<Record<string, MemoryStore>>): Promise<WorkerRig> => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  await right(provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 }))
  const heard = new Map<string, RunResult>()
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) heard.set(result.right.run, result.right)
    },
    onError: () => undefined,
  })
  const memory = memoryConnector(new Map(Object.entries(stores).map(([name, store]) => [name, { store }])))
  const running: Array<RunningService> = []
  return {
    bus,
    apply: async (id, source, destination) => {
      const connection = Connection.decode({ id, schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: source }, destination: { provider: 'memory', store: destination } }] })
      if (E.isLeft(connection)) throw new Error(`${id} is no connection`)
      await right(openBucket(bus)(buckets.connections).put(id, encode(ConnectionDocument, { connection: connection.right, appliedAt: 1 })))
    },
    start: async () => {
      const service = await worker.start(
        configOf(readEnv({})),
        { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
        new Map([[memory.provider, memory]]),
      )
      running.push(service)
      return service
    },
    sync: async (conn) => {
      const run = systemRandom.ulid(Date.now()) as WorkItem['run']
      const item: WorkItem = { conn: conn as WorkItem['conn'], run, trigger: systemRandom.token(), cause: 'manual', lane: 'hot', revision: 1, askedAt: Date.now() }
      await right(publish(bus)(subjects.work('hot', item.conn), encode(WorkItem, item)))
      await until(async () => heard.has(run) && (await right(streamInfo(bus)(streams.work))).messages === 0)
      const result = heard.get(run)
      if (result === undefined) throw new Error(`${conn} was not heard of`)
      return result
    },
    stop: async () => {
      for (const service of running) await service.stop()
      await bus.close()
      await server.stop()
    },
  }
}
