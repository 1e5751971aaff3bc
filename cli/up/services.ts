/**
 * ROOT of the four services in one process: each gets its own NATS connection, telemetry and log, as it would alone
 * (libs/process). Does not know what they do.
 */
import { readFileSync } from 'node:fs'
import { runningService, type RunningService } from '#libs/actor/lifecycle.ts'
import { systemClock } from '#libs/clock.ts'
import { E } from '#libs/fp.ts'
import { connect } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { readEnv, type Env, type EnvReader } from '#libs/process/env.ts'
import type { Service, ServiceDeps } from '#libs/process/service-process.ts'
import { connectOptions, settingsOf, type NatsSettings, type Settings } from '#libs/process/settings.ts'
import { systemRandom } from '#libs/random.ts'
import type { Log } from '#libs/telemetry/log.ts'
import { startTelemetry } from '#libs/telemetry/otel.ts'
import { service as conflictResolver } from '../../services/conflict-resolver/start.ts'
import { service as scheduler } from '../../services/scheduler/start.ts'
import { service as syncWorker } from '../../services/sync-worker/start.ts'
import { service as tracker } from '../../services/tracker/start.ts'
import type { Refusal } from '../refusal.ts'
import { failed, NotUp, wrong } from './not-up.ts'

/** A service with its settings read; what they are made of stays its own business. */
export type Prepared = { readonly name: string; readonly start: (deps: ServiceDeps) => Promise<RunningService> }

/** A service of this process. `broke` resolves with a sentence when its connection has ended for good. */
export type Hosted = RunningService & { readonly broke: Promise<string> }

export type Host = {
  readonly nats: NatsSettings
  readonly env: Env
  readonly version: string
  readonly logOf: (service: string) => Log
}

/**
 * In the order in which they drain: nothing new falls due, what runs is finished (it may have conflicts to ask about),
 * and the last results are still recorded. Left: every wrong setting, one line each.
 */
export const prepareServices = (env: Env): E.Either<Refusal, { readonly services: ReadonlyArray<Prepared>; readonly settings: Settings }> => {
  const reader = readEnv(env)
  const settings = settingsOf(reader)
  const services = [prepare(scheduler, reader), prepare(syncWorker, reader), prepare(conflictResolver, reader), prepare(tracker, reader)]
  const mistakes = reader.mistakes()
  return mistakes.length === 0 ? E.right({ services, settings }) : E.left(wrong(`the settings in the environment are wrong\n  ${mistakes.join('\n  ')}`))
}

const prepare = <Config>(service: Service<Config>, env: EnvReader): Prepared => {
  const config = service.configOf(env)
  return { name: service.name, start: (deps) => service.start(config, deps) }
}

/** All at once; rejects with `NotUp` when one cannot start, after ending those that could. */
export const startServices = async (services: ReadonlyArray<Prepared>, host: Host): Promise<ReadonlyArray<Hosted>> => {
  const starts = await Promise.allSettled(services.map((service) => startOne(service, host)))
  const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const refused = starts.find((start) => start.status === 'rejected')
  if (refused === undefined) return started
  await Promise.allSettled(started.map((service) => service.abort()))
  throw refused.reason
}

const startOne = async ({ name, start }: Prepared, { nats, env, version, logOf }: Host): Promise<Hosted> => {
  const log = logOf(name)
  const connected = await connect(connectOptions(name, nats, (path) => readFileSync(path, 'utf8')))()
  if (E.isLeft(connected)) throw new NotUp(failed(`${name}: ${describeNatsFailure(connected.left)}`))
  const bus = connected.right
  const telemetry = await startTelemetry({ service: name, version, env, random: systemRandom, log })
  const close = async (): Promise<void> => {
    await bus.drain()
    await telemetry.shutdown()
  }
  try {
    const deps = { bus, version, env, log, tracer: telemetry.tracer, metrics: telemetry.metrics, clock: systemClock, random: systemRandom }
    const running = await start(deps)
    let isWanted = false
    const ending = (end: () => Promise<void>) => () => {
      isWanted = true
      return end().finally(close)
    }
    return {
      ...runningService({ name, stop: ending(running.stop), abort: ending(running.abort) }),
      broke: new Promise((tell) => void bus.closed.then((reason) => isWanted || tell(`${name} has lost its connection to NATS for good${reason === undefined ? '' : `: ${describeNatsFailure(reason)}`}`))),
    }
  } catch (cause) {
    await close()
    throw cause instanceof NotUp ? cause : new NotUp(failed(`${name} cannot start: ${cause instanceof Error ? cause.message : String(cause)}`))
  }
}
