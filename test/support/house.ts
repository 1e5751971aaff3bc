/**
 * The whole house on a real nats-server, in one process: provisioned, with scheduler, workers, resolver and tracker, on
 * memory connectors unless others are given. For stories; every part is the real one.
 */
import { connectTo, startTestServer, type TestServer } from './nats-server.ts'
import { patienceMs } from './processes.ts'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { systemClock } from '#libs/clock.ts'
import type { Connector } from '#libs/connectors/connector.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { provision } from '#libs/nats/provision.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import type { ServiceDeps } from '#libs/process/service-process.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer, type Tracer } from '#libs/telemetry/trace.ts'
import * as resolver from '../../services/conflict-resolver/start.ts'
import * as scheduler from '../../services/scheduler/start.ts'
import { configOf as schedulerConfig } from '../../services/scheduler/config.ts'
import * as worker from '../../services/sync-worker/start.ts'
import { configOf as workerConfig } from '../../services/sync-worker/config.ts'
import * as tracker from '../../services/tracker/start.ts'

export type House = {
  readonly server: TestServer
  readonly bus: Bus
  readonly stores: Map<string, { store: MemoryStore; options?: MemoryOptions }>
  readonly store: (name: string, options?: MemoryOptions) => MemoryStore
  readonly apply: (connection: Record<string, unknown>) => Promise<void>
  /** As `nats pub sync.request.<conn> <body>` would. */
  readonly request: (conn: string, body?: string) => Promise<void>
  /** Every result heard since the house stands. */
  readonly results: ReadonlyArray<RunResult>
  /** Resolves with the first result, from now or before, for which the test holds. */
  readonly result: (test: (result: RunResult) => boolean, withinMs?: number) => Promise<RunResult>
  readonly addWorker: (env?: Record<string, string>) => Promise<RunningService>
  readonly tracker: { readonly url: string } | undefined
  readonly stop: () => Promise<void>
}

export type HouseOptions = {
  readonly connectors?: ReadonlyMap<string, Connector>
  readonly workers?: number
  readonly env?: Record<string, string>
  readonly tracer?: (service: string) => Tracer
  readonly without?: ReadonlyArray<'scheduler' | 'conflict-resolver' | 'tracker'>
}

export const startHouse = async (options: HouseOptions = {}): Promise<House> => {
  const server = await startTestServer()
  const bus = await connectTo(server, { name: 'test' })
  const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
  const env = { TRACKER_HTTP_PORT: '0', ...options.env }
  const stores: House['stores'] = new Map()
  const memory = memoryConnector(stores)
  const connectors = new Map([[memory.provider, memory], ...(options.connectors ?? [])])
  const buses: Array<Bus> = [bus]
  const running: Array<RunningService> = []
  const results: Array<RunResult> = []
  const heard = new Set<() => void>()

  const depsOf = async (service: string): Promise<ServiceDeps> => {
    const own = await connectTo(server, { name: service, inboxPrefix: `_INBOX_${service}` })
    buses.push(own)
    return { bus: own, version: '0.0.0', env, log: silentLog, tracer: options.tracer?.(service) ?? quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom }
  }
  const addWorker: House['addWorker'] = async (more = {}) => {
    const service = await worker.start(workerConfig(readEnv({ ...env, ...more })), await depsOf('sync-worker'), connectors)
    running.push(service)
    return service
  }

  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) results.push(result.right)
      for (const tell of heard) tell()
    },
    onError: () => undefined,
  })

  const parts = new Set(options.without ?? [])
  if (!parts.has('conflict-resolver')) running.push(await resolver.start(resolver.service.configOf(readEnv(env)), await depsOf('conflict-resolver')))
  let track: { readonly url: string } | undefined
  if (!parts.has('tracker')) {
    const started = await tracker.start(tracker.service.configOf(readEnv(env)), await depsOf('tracker'))
    running.push(started)
    track = { url: started.url }
  }
  for (let n = 0; n < (options.workers ?? 1); n++) await addWorker()
  if (!parts.has('scheduler')) running.push(await scheduler.start(schedulerConfig(readEnv(env)), await depsOf('scheduler')))

  return {
    server, bus, stores, results, addWorker, tracker: track,
    store: (name, memoryOptions) => {
      const store = memoryStore(name)
      stores.set(name, memoryOptions === undefined ? { store } : { store, options: memoryOptions })
      return store
    },
    apply: async (wanted) => {
      const connection = Connection.decode(wanted)
      if (E.isLeft(connection)) throw new Error('not a connection')
      const put = await openBucket(bus)(buckets.connections, { timeoutMs: patienceMs }).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
      if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
    },
    request: async (conn, body = '') => {
      const stored = await publish(bus)(`sync.request.${conn}`, new TextEncoder().encode(body), { timeoutMs: patienceMs })()
      if (E.isLeft(stored)) throw new Error(JSON.stringify(stored.left))
    },
    result: (test, withinMs = patienceMs) =>
      new Promise((done, fail) => {
        const look = (): void => {
          const found = results.find(test)
          if (found === undefined) return
          heard.delete(look)
          clearTimeout(timer)
          done(found)
        }
        const timer = setTimeout(() => {
          heard.delete(look)
          fail(new Error(`no such result within ${withinMs} ms; heard: ${JSON.stringify(results.map(({ conn, outcome, error }) => [conn, outcome, error?.message]))}`))
        }, withinMs)
        heard.add(look)
        look()
      }),
    stop: async () => {
      for (const service of running.reverse()) await service.stop()
      for (const one of buses) await one.close()
      await server.stop()
    },
  }
}
