/** A scheduler on a real nats-server, and the eyes and hands of an outsider. Does not know what is tested. */
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { systemClock } from '#libs/clock.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { TriggerAnswer, type TriggerQuestion } from '#libs/contracts/trigger.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import type { E, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { getMessage, purge, streamInfo } from '#libs/nats/stream-messages.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { start } from '../../../services/scheduler/start.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'

const text = (s: string) => new TextEncoder().encode(s)

export const right = async <A>(effect: TE.TaskEither<unknown, A>): Promise<A> => {
  const result: E.Either<unknown, A> = await effect()
  if (result._tag === 'Left') throw new Error(JSON.stringify(result.left))
  return result.right
}

export const read = <A>(contract: Contract<A>, body: Uint8Array): A => {
  const decoded = decode(contract, body)
  if (decoded._tag === 'Left') throw new Error(decoded.left.report.join('\n'))
  return decoded.right
}

export const natsRig = async () => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  await right(provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 }))
  let running: Array<RunningService> = []

  /** Asks the server again and again until it has what is awaited; the test's own time limit ends it. */
  const until = async <A>(look: () => Promise<A | undefined>): Promise<A> => {
    for (;;) {
      const seen = await look()
      if (seen !== undefined) return seen
      await right(bus.rtt) // a round trip, so that everything else moves on too
    }
  }
  const last = async <A>(contract: Contract<A>, stream: string, subject: string) => {
    const message = await right(getMessage(bus)(stream, { lastBySubject: subject }))
    return message === undefined ? undefined : { ...read(contract, message.body), seq: message.seq, headers: message.headers }
  }

  return {
    bus, until, last,
    stopAtEnd: (service: RunningService) => void running.push(service),
    startScheduler: async (): Promise<RunningService> => {
      const deps = { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom }
      const service = await start({ ticks: true, requestConcurrency: 8 }, deps)
      running.push(service)
      return service
    },
    apply: (id: string, schedule: Schedule, more: Partial<Connection> = {}) =>
      right(openBucket(bus)('sync_connections').put(id, encode(ConnectionDocument, { connection: { id: id as ConnectionId, schedule, flows: [], ...more }, appliedAt: Date.now() }))),
    putDocument: (id: string, body: string) => right(openBucket(bus)('sync_connections').put(id, text(body))),
    work: (id: string) => until(() => last(WorkItem, 'SYNC_WORK', `sync.work.hot.${id}`)),
    skipped: (id: string) => until(() => last(RunResult, 'SYNC_RESULTS', `sync.result.${id}.skipped`)),
    request: (id: string, body = '', headers = {}) => right(publish(bus)(`sync.request.${id}`, text(body), { headers })),
    question: async (id: string, body: string | TriggerQuestion = ''): Promise<TriggerAnswer> => {
      const { body: answer } = await right(ask(bus)(`sync.trigger.${id}`, text(typeof body === 'string' ? body : JSON.stringify(body)), { timeoutMs: 5_000 }))
      return read(TriggerAnswer, answer)
    },
    mailboxEmptied: () => until(async () => ((await right(streamInfo(bus)('SYNC_REQUESTS'))).messages === 0 ? true : undefined)),
    forgetAll: async () => {
      for (const stream of ['SYNC_REQUESTS', 'SYNC_WORK', 'SYNC_RESULTS', 'SYNC_DEAD', 'KV_sync_connections', 'KV_sync_scheduler', 'KV_sync_status']) await right(purge(bus)(stream, '>'))
    },
    stopAll: async () => {
      await Promise.all(running.map((service) => service.stop()))
      running = []
    },
    end: async () => {
      await bus.close()
      await server.stop()
    },
  }
}
export type NatsRig = Awaited<ReturnType<typeof natsRig>>
