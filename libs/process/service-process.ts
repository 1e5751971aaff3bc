/**
 * Knows the life of one service as a process of its own: settings, telemetry, connection, start, run until a signal, drain.
 * `--check` loads everything, says so and ends. Does not know what the service does.
 */
import { readFileSync } from 'node:fs'
import { runProcess, type RunningService } from '../actor/lifecycle.ts'
import { systemClock, type Clock } from '../clock.ts'
import { E } from '../fp.ts'
import { connect, type Bus } from '../nats/connect.ts'
import { describeNatsFailure } from '../nats/failure.ts'
import { systemRandom, type Random } from '../random.ts'
import { makeLog, type Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { startTelemetry } from '../telemetry/otel.ts'
import type { Tracer } from '../telemetry/trace.ts'
import { readEnv, type Env, type EnvReader } from './env.ts'
import { connectOptions, settingsOf } from './settings.ts'

/** What every service is given by its process. */
export type ServiceDeps = {
  readonly bus: Bus
  readonly version: string
  readonly env: Env
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
}

export type Service<Config> = {
  readonly name: string
  /** Reads its own settings; mistakes go to the reader. */
  readonly configOf: (env: EnvReader) => Config
  /** Rejects with a readable Error when it cannot start. */
  readonly start: (config: Config, deps: ServiceDeps) => Promise<RunningService>
}

/** Resolves with the exit code: 0 drained, 1 failed, 2 wrong settings. */
export const serviceProcess = async <Config>(service: Service<Config>, argv: ReadonlyArray<string>, env: Env, version: string): Promise<number> => {
  if (argv.includes('--check')) {
    process.stdout.write(`${service.name}: ok\n`)
    return 0
  }
  const reader = readEnv(env)
  const settings = settingsOf(reader)
  const config = service.configOf(reader)
  if (reader.mistakes().length > 0) {
    process.stderr.write(`${service.name}: the settings are wrong\n${reader.mistakes().map((line) => `  ${line}\n`).join('')}`)
    return 2
  }
  const options = E.tryCatch(() => connectOptions(service.name, settings.nats, (path) => readFileSync(path, 'utf8')), (cause) => (cause instanceof Error ? cause.message : String(cause)))
  if (E.isLeft(options)) {
    process.stderr.write(`${service.name}: the credentials cannot be read: ${options.left}\n`)
    return 2
  }
  const log = makeLog({ service: service.name, level: settings.logLevel, format: settings.logFormat, colour: process.stdout.isTTY })
  const telemetry = await startTelemetry({ service: service.name, version, env, random: systemRandom, log })
  log.info('service.starting', { version })
  const connected = await connect({ ...options.right, waitOnFirstConnect: true })()
  if (E.isLeft(connected)) {
    log.error('service.failed', { reason: describeNatsFailure(connected.left) })
    await telemetry.shutdown()
    return 1
  }
  const bus = connected.right
  const code = await runProcess({
    services: async () => [
      await service.start(config, { bus, version, env, log, tracer: telemetry.tracer, metrics: telemetry.metrics, clock: systemClock, random: systemRandom }),
    ],
    log,
    shutdownMs: settings.shutdownMs,
    broken: bus.closed.then((reason) => (reason === undefined ? 'the connection to NATS was closed' : describeNatsFailure(reason))),
  })
  await bus.drain()
  await telemetry.shutdown()
  return code
}
