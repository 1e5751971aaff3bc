/**
 * ROOT of the tracker: brings it the messages and opens its doors, on a connection that is there. Used by main.ts and by
 * `syncline up`. The ports are bound in nats-ports.ts.
 */
import { every } from '#libs/actor/every.ts'
import { runningService } from '#libs/actor/lifecycle.ts'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import { buckets, durables, headerNames, streams, subjects } from '#libs/contracts/subjects.ts'
import { E, TE, pipe } from '#libs/fp.ts'
import { consume } from '#libs/nats/consume.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { serve } from '#libs/nats/serve.ts'
import type { ServiceEndpoint } from '#libs/nats/serve.ts'
import { consumerInfo } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import type { Service, ServiceDeps } from '#libs/process/service-process.ts'
import { trackerActor } from './actor.ts'
import { answerOver, ofOneConnection, verbs } from './answers.ts'
import type { AnswerPorts, Verb } from './answers.ts'
import { configOf, type Config } from './config.ts'
import { directory } from './directory.ts'
import { healthOf } from './health.ts'
import { listenHttp } from './http.ts'
import { portsOn } from './nats-ports.ts'
import { troubleOf } from './nats-trouble.ts'
import { routesOf } from './routes.ts'
import { sweeper } from './sweep.ts'

export const serviceName = 'tracker'

export type RunningTracker = RunningService & { readonly url: string; readonly port: number }

/** Rejects with a readable Error: the port is taken, NATS refuses, something is not provisioned. The connection stays with the caller. */
export const start = async (config: Config, deps: ServiceDeps): Promise<RunningTracker> => {
  const { bus, version, log, tracer, metrics, clock, random } = deps
  const ports = portsOn(deps)
  const connections = directory()
  const actor = trackerActor({ ports, directory: connections, clock, log, tracer, metrics, cached: config.cached })
  const answers: AnswerPorts = { ...ports, directory: connections, alert: ports.says.alert, clock, now: clock.now, newRun: () => random.ulid(clock.now()) }
  const onError = (failure: NatsFailure): void => log.warn('tracker.nats', { is: failure.is, reason: describeNatsFailure(failure) })

  let watching = false
  let reading = false
  const heardFrom = [
    // A result that is heard again changes nothing: status, history and statistics know which they have
    { stream: streams.results, durable: durables.results, handle: actor.onResult, concurrency: config.concurrency, unconfirmed: true, holdsBlock: true },
    { stream: streams.dead, durable: durables.dead, handle: actor.onDead, concurrency: 16 },
    { stream: streams.advisories, durable: durables.advisories, handle: actor.onAdvisory, concurrency: 16 },
  ]
  const health = () => healthOf({
    isConnected: bus.isConnected,
    isWatching: () => watching,
    connections: connections.size,
    consumers: heardFrom.map(({ stream, durable }) => ({ name: durable, isRunning: () => reading, look: pipe(consumerInfo(bus)(stream, durable), TE.bimap(troubleOf, ({ pending, ackPending }) => ({ pending, inHand: ackPending }))) })),
  })
  const { httpHost: host, httpPort: port, httpToken } = config
  const http = orThrow(await listenHttp({
    host, port, ...(httpToken === undefined ? {} : { token: httpToken }),
    routes: routesOf({ ...answers, trigger: ports.says.trigger, health, tracer }),
    onError: (error, { method, path }) => log.error('tracker.http', { error, method, path }),
  }))

  const opened: Array<() => Promise<void>> = [http.stop]
  const closeAll = async (): Promise<void> => void (await Promise.allSettled(opened.map((close) => close())))
  try {
    for (const { stream, durable } of heardFrom) orThrow(E.mapLeft((f: NatsFailure) => `consumer ${durable} of ${stream}: ${describeNatsFailure(f)}; \`syncline provision\` creates it`)(await consumerInfo(bus)(stream, durable)()))
    const watch = openBucket(bus)(buckets.connections).watch('>', ({ key, value }) => actor.onDocument(key, value ?? undefined), { onError })
    opened.push(watch.stop)
    await watch.ready
    watching = true
    const serving = orThrow(E.mapLeft(describeNatsFailure)(await serve(bus)({
      name: `syncline-${serviceName}`, version, queue: serviceName, onError,
      description: 'Answers how connections are: status, history, statistics, dead letters. Any number of replicas.',
      endpoints: endpointsOf(answers, tracer),
    })()))
    opened.unshift(serving.stop)
  } catch (cause) {
    http.abort()
    await closeAll()
    throw cause
  }
  const progress = subscribe(bus, { subject: subjects.progresses, queue: serviceName, onError, handle: ({ subject, body }) => actor.onProgress(subject, body) })
  const consumptions = heardFrom.map(({ durable, handle, ...how }) =>
    consume(bus, { ...how, consumer: durable, onError, handle: async (delivery) => ackOf(await handle(delivery)) }))
  reading = true
  const sweeping = every({
    name: `${serviceName}.sweep`, clock, log, delayMs: () => config.sweepEveryMs,
    turn: sweeper({ ...ports, bury: (lost) => () => actor.bury(lost), now: clock.now, log }, { ackWaitMs: config.workAckWaitMs, silentMs: config.silentMs }),
  })
  opened.push(sweeping.stop, progress.stop, ...consumptions.map(({ stop }) => stop))
  log.info('service.started', { url: http.url, port: http.port, connections: connections.size() })

  const stop = async (): Promise<void> => {
    reading = false
    await closeAll()
  }
  const abort = (): Promise<void> => {
    http.abort()
    void stop() // what is in hand is not waited for: it comes again
    return Promise.resolve()
  }
  return { ...runningService({ name: serviceName, stop, abort }), url: http.url, port: http.port }
}

const ackOf = (verdict: Verdict) =>
  verdict.is === 'done' ? { is: 'done' as const } : { is: 'again' as const, delayMs: verdict.is === 'retry-in' ? verdict.ms : 1_000 }

const orThrow = <A>(either: E.Either<string, A>): A => {
  if (either._tag === 'Left') throw new Error(either.left)
  return either.right
}

const endpointsOf = (answers: AnswerPorts, tracer: Tracer): ReadonlyArray<ServiceEndpoint> => {
  const names = Object.keys(verbs) as ReadonlyArray<Verb>
  const endpoint = (name: string, subject: string, verb: Verb): ServiceEndpoint => ({ name, subject, handle: answerOver(answers, tracer, verb, headerNames.traceparent) })
  return [
    ...names.map((verb) => endpoint(verb, subjects.api(verb), verb)),
    ...ofOneConnection.map((verb) => endpoint(`${verb}-of`, subjects.api(verb, '*'), verb)),
  ]
}

export const service: Service<Config> = { name: serviceName, configOf, start }
