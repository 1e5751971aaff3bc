/**
 * Knows how services start, drain and end, and what signals mean to a process.
 * Does not know what any service does; stops them in the order they were given.
 */
import { systemClock, type Clock } from '../clock.ts'
import type { Log } from '../telemetry/log.ts'
import { listen, type Host } from './signals.ts'

export type RunningService = {
  readonly name: string
  /** Drain: takes no new work, finishes what is in hand. A second call answers the first one's promise. */
  readonly stop: () => Promise<void>
  /** At once: leaves what is in hand to redelivery. Also ends a drain under way. */
  readonly abort: () => Promise<void>
}

/** Makes both endings happen at most once (R 1.20): a second stop joins the first, a stop after an abort joins the abort. */
export const runningService = (service: RunningService): RunningService => {
  let stopping: Promise<void> | undefined
  let aborting: Promise<void> | undefined
  return {
    name: service.name,
    stop: () => (stopping ??= aborting ?? service.stop()),
    abort: () => (aborting ??= service.abort()),
  }
}

export const exitCodes = {
  /** Everything in hand was finished. */
  drained: 0,
  /** The start failed, a service broke, or the drain failed or took too long. */
  failed: 1,
} as const

/** R 12.4, 17.7: a running sync may take this long to come to its end. */
export const defaultShutdownMs = 5 * 60_000

/** An abort has nothing to wait for; a hanging one must not keep the process. */
const abortWithinMs = 5_000

export type ProcessRun = {
  /** Starts everything; the array is the drain order. */
  readonly services: () => Promise<ReadonlyArray<RunningService>>
  readonly log: Log
  readonly shutdownMs?: number
  readonly onReady?: (services: ReadonlyArray<RunningService>) => void
  /** Resolves with the reason when the process cannot go on (connection closed for good): everything is aborted. */
  readonly broken?: Promise<string>
  readonly host?: Host
  readonly clock?: Clock
}

const underWay = new WeakMap<Host, Promise<number>>()

/**
 * Starts the services, waits for SIGTERM, SIGINT or SIGHUP, drains them in order within `shutdownMs` in all; a second signal
 * aborts at once. Resolves with the exit code (128 + the signal's number after a second signal); never rejects.
 * Called again while running, it warns and joins the run under way (R 1.20).
 */
export const runProcess = (run: ProcessRun): Promise<number> => {
  const host = run.host ?? process
  const already = underWay.get(host)
  if (already !== undefined) {
    run.log.warn('process.already-running')
    return already
  }
  const ending = live(run, host).finally(() => underWay.delete(host))
  underWay.set(host, ending)
  return ending
}

const live = async (run: ProcessRun, host: Host): Promise<number> => {
  const { log } = run
  const clock = run.clock ?? systemClock
  const signals = listen(host)
  const broken = run.broken?.then((reason) => ({ is: 'broken' as const, reason })) ?? new Promise<never>(() => undefined)
  try {
    const starting = attempt(run.services)
    // A signal during the start is obeyed after it: a half-started service cannot be drained. A second one is not made to wait.
    const started = await Promise.race([starting, signals.second])
    if (started.is === 'signal') return signals.exitCode(started.signal)
    if (started.is === 'threw') {
      log.error('service.failed', { step: 'start', error: started.error })
      return exitCodes.failed
    }
    const services = started.value
    log.info('process.ready', { service: services.map((service) => service.name).join(', ') })
    run.onReady?.(services)

    const call = await Promise.race([signals.first, broken])
    if (call.is === 'broken') {
      log.error('process.broken', { reason: call.reason })
      await abortAll(services, clock, log)
      return exitCodes.failed
    }
    const shutdownMs = run.shutdownMs ?? defaultShutdownMs
    log.info('service.stopping', { signal: call.signal, timeoutMs: shutdownMs })
    const startedAt = clock.monotonic()
    const enough = new AbortController()
    const end = await Promise.race([
      drainInOrder(services, log),
      signals.second,
      broken,
      clock.sleep(shutdownMs, enough.signal).then(() => ({ is: 'timed-out' as const })),
    ])
    enough.abort()
    const durationMs = Math.round(clock.monotonic() - startedAt)
    if (end.is === 'drained') {
      log.info('process.stopped', { durationMs })
      return end.failed === 0 ? exitCodes.drained : exitCodes.failed
    }
    log.warn(end.is === 'timed-out' ? 'process.stop-timed-out' : 'process.stop-cut-short', { durationMs, reason: end.is })
    await abortAll(services, clock, log)
    return end.is === 'signal' ? signals.exitCode(end.signal) : exitCodes.failed
  } finally {
    signals.ignore()
  }
}

const drainInOrder = async (services: ReadonlyArray<RunningService>, log: Log): Promise<{ is: 'drained'; failed: number }> => {
  let failed = 0
  for (const service of services) {
    const ended = await attempt(service.stop)
    if (ended.is === 'threw') {
      failed += 1
      log.error('service.failed', { service: service.name, step: 'stop', error: ended.error })
    } else log.info('service.stopped', { service: service.name })
  }
  return { is: 'drained', failed }
}

const abortAll = async (services: ReadonlyArray<RunningService>, clock: Clock, log: Log): Promise<void> => {
  const enough = new AbortController()
  const aborts = services.map(async (service) => {
    const ended = await attempt(service.abort)
    if (ended.is === 'threw') log.error('service.failed', { service: service.name, step: 'abort', error: ended.error })
  })
  await Promise.race([Promise.all(aborts), clock.sleep(abortWithinMs, enough.signal)])
  enough.abort()
}

const attempt = async <A>(what: () => Promise<A>): Promise<{ is: 'done'; value: A } | { is: 'threw'; error: unknown }> => {
  try {
    return { is: 'done', value: await what() }
  } catch (error) {
    return { is: 'threw', error }
  }
}
