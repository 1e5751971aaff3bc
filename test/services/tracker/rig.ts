/** Knows how a test gets trackers on a real, provisioned nats-server, and speaks for the services beside them. */
import { trackerDefaults } from '../../../services/tracker/config.ts'
import type { Config } from '../../../services/tracker/config.ts'
import { start } from '../../../services/tracker/start.ts'
import type { RunningTracker } from '../../../services/tracker/start.ts'
import { Alert } from '#libs/contracts/alert.ts'
import { systemClock } from '#libs/clock.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import type { Contract } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { Status } from '#libs/contracts/status.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, headerNames, subjects } from '#libs/contracts/subjects.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { right, until } from '../../libs/nats/right.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import { conn } from './samples.ts'

export type Rig = {
  readonly bus: Bus
  readonly tracker: (change?: Partial<Config>) => Promise<RunningTracker>
  readonly apply: (id: string, paused?: boolean) => Promise<void>
  readonly say: <A>(subject: string, contract: Contract<A>, value: A, msgId?: string) => Promise<number>
  readonly sayResult: (result: RunResult) => Promise<number>
  readonly status: (id: string) => Promise<Status | undefined>
  /** Resolves once the run is the connection's last, in KV. */
  readonly recorded: (id: string, run: string) => Promise<void>
  readonly alerts: ReadonlyArray<Alert>
  readonly stop: () => Promise<void>
}

type RigOptions = { readonly ackWaitMs?: number; readonly maxDeliver?: number; readonly isProvisioned?: boolean }

/** `ackWaitMs`, `maxDeliver`: of the workers' consumers, so that a test need not wait for the real ones. */
export const rig = async ({ ackWaitMs, maxDeliver, isProvisioned = true }: RigOptions = {}): Promise<Rig> => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  const consumers = consumerDefs.map((def) =>
    def.durable.startsWith('worker') ? { ...def, ackWaitMs: ackWaitMs ?? def.ackWaitMs, maxDeliver: maxDeliver ?? def.maxDeliver } : def)
  if (isProvisioned) await right(provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers }, { replicas: 1 }))
  const running: Array<{ readonly stop: () => Promise<void> }> = []
  const alerts: Array<Alert> = []
  const listening = subscribe(bus, {
    subject: subjects.alert('*'),
    onError: () => undefined,
    handle: ({ body }) => {
      const alert = decode(Alert, body)
      if (alert._tag === 'Right') alerts.push(alert.right)
    },
  })
  const statuses = openBucket(bus)(buckets.status)
  const say: Rig['say'] = async (subject, contract, value, msgId) => {
    const headers = { [headerNames.schema]: contract.schema }
    return (await right(publish(bus)(subject, encode(contract, value), msgId === undefined ? { headers } : { headers, msgId }))).seq
  }
  const status: Rig['status'] = async (id) => {
    const entry = await right(statuses.get(id))
    return entry?.value ? decodeOrThrow(Status, entry.value) : undefined
  }
  return {
    bus, alerts, say, status,
    tracker: async (change = {}) => {
      const own = await connectTo(server, { name: 'tracker' })
      const tracker = await start(
        { ...trackerDefaults, httpPort: 0, ...change },
        { bus: own, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
      )
      running.push({ stop: async () => (await tracker.stop(), await own.close()) })
      return tracker
    },
    apply: async (id, paused = false) => {
      const connection = { id: conn(id), schedule: { kind: 'manual' as const }, flows: [], paused }
      await right(openBucket(bus)(buckets.connections).put(id, encode(ConnectionDocument, { connection, appliedAt: 1 })))
    },
    sayResult: (result) => say(subjects.result(result.conn, result.outcome), RunResult, result),
    recorded: (id, run) => until(async () => (await status(id))?.lastRun?.run === run),
    stop: async () => {
      await Promise.all(running.map((one) => one.stop()))
      await listening.stop()
      await bus.close()
      await server.stop()
    },
  }
}

const decodeOrThrow = <A>(contract: Contract<A>, bytes: Uint8Array): A => {
  const value = decode(contract, bytes)
  if (value._tag === 'Left') throw new Error(value.left.report.join('; '))
  return value.right
}
