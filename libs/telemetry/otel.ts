/**
 * Knows when the OpenTelemetry SDK is wanted and how one service gets its own. The SDK is loaded only then: it is large
 * and most laptops have nobody listening. Does not know what is traced.
 *
 * The SDK reads the standard OTEL_* variables itself (protocol, headers, sampler, batching); `env` decides only whether
 * it starts and what the service is called.
 */
import { context, diag, DiagLogLevel, logs, metrics as otelMetrics, trace } from '@opentelemetry/api'
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { Random } from '../random.ts'
import { silentLog } from './log.ts'
import type { Log } from './log.ts'
import { quietMetrics, recordingMetrics } from './metrics.ts'
import type { Metrics } from './metrics.ts'
import { quietTracer, recordingTracer } from './trace.ts'
import type { Tracer } from './trace.ts'

type Env = Readonly<Record<string, string | undefined>>

export type Telemetry = {
  readonly tracer: Tracer
  readonly metrics: Metrics
  /** Hands over what is still buffered; never takes longer than two seconds, never rejects. */
  readonly shutdown: () => Promise<void>
}

export type TelemetryOptions = {
  /** `scheduler`, `sync-worker`, …; shown as `service.name` `syncline-<service>` unless OTEL_SERVICE_NAME says another. */
  readonly service: string
  readonly version: string
  readonly env: Env
  readonly random: Pick<Random, 'next'>
  readonly log?: Log
}

/** Longest wait for a collector that does not answer while the process wants to end. */
const longestFlushMs = 2_000
/** A collector that is down fails every five seconds; one line per five minutes says it well enough. */
const quietAfterWarningMs = 5 * 60_000

export const startTelemetry = async ({ service, version, env, random, log = silentLog }: TelemetryOptions): Promise<Telemetry> => {
  const wanted = wantedSignals(env)
  if (!wanted.traces && !wanted.metrics) {
    return { tracer: quietTracer(random), metrics: quietMetrics, shutdown: () => Promise.resolve() }
  }
  const warn = warnSparingly(log)
  hearTheSdk(warn)
  const [{ NodeSDK }, { envDetector }] = await Promise.all([import('@opentelemetry/sdk-node'), import('@opentelemetry/resources')])
  const sdk = new NodeSDK({
    serviceName: env.OTEL_SERVICE_NAME ?? `syncline-${service}`,
    // Not the process detector: it would export the command line, and whatever a person typed there.
    resourceDetectors: [envDetector, { detect: () => ({ attributes: { 'service.namespace': 'syncline', 'service.version': version } }) }],
    ...(wanted.traces ? {} : { spanProcessors: [] }),
    ...(wanted.metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    instrumentations: [],
    textMapPropagator: null,
  })
  const own = startAlone(sdk)
  log.info('telemetry.started')
  let ending: Promise<void> | undefined
  return {
    tracer: wanted.traces ? recordingTracer(own.tracers.getTracer('syncline', version)) : quietTracer(random),
    metrics: wanted.metrics ? recordingMetrics(own.meters.getMeter('syncline', version)) : quietMetrics,
    shutdown: () => (ending ??= endWithin(longestFlushMs, sdk.shutdown(), warn)),
  }
}

/**
 * The SDK registers itself as the process's only provider. `syncline up` runs four services in one process, each under
 * its own name, so each start takes the provider along and leaves the place free for the next.
 */
const startAlone = (sdk: { readonly start: () => void }): { readonly tracers: TracerProvider; readonly meters: MeterProvider } => {
  freeTheGlobals()
  sdk.start()
  const own = { tracers: trace.getTracerProvider(), meters: otelMetrics.getMeterProvider() }
  freeTheGlobals()
  return own
}

const freeTheGlobals = (): void => {
  for (const global of [trace, otelMetrics, logs, context]) global.disable()
}

/** A signal is wanted when its exporter or its endpoint is named; `OTEL_SDK_DISABLED=true` and `none` say no. */
export const wantedSignals = (env: Env): { readonly traces: boolean; readonly metrics: boolean } => {
  const isSet = (name: string): boolean => (env[name] ?? '').trim() !== ''
  const isWanted = (signal: 'TRACES' | 'METRICS'): boolean => {
    if ((env.OTEL_SDK_DISABLED ?? '').trim().toLowerCase() === 'true') return false
    const exporters = `OTEL_${signal}_EXPORTER`
    if (isSet(exporters)) return !(env[exporters] ?? '').split(',').some((name) => name.trim() === 'none')
    return isSet('OTEL_EXPORTER_OTLP_ENDPOINT') || isSet(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`)
  }
  return { traces: isWanted('TRACES'), metrics: isWanted('METRICS') }
}

const warnSparingly = (log: Log): ((message: string) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY
  let dropped = 0
  return (message) => {
    if (performance.now() - saidAt < quietAfterWarningMs) {
      dropped += 1
      return
    }
    log.warn('telemetry.failed', { message: plainMessage(message), dropped })
    saidAt = performance.now()
    dropped = 0
  }
}

/** The SDK has one place for complaints in a process: in `syncline up` the service started last speaks for all. */
const hearTheSdk = (warn: (message: string) => void): void => {
  const nothing = (): void => undefined
  diag.setLogger(
    { error: warn, warn, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
}

/** The SDK hands errors over as JSON with a stack in it. */
const plainMessage = (text: string): string => /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text

const endWithin = async (ms: number, work: Promise<void>, warn: (message: string) => void): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`the collector did not take the last spans within ${ms} ms`), ms)
  })
  const done = work.then(() => undefined, (error: unknown) => (error instanceof Error ? error.message : String(error)))
  const failed = await Promise.race([done, late])
  clearTimeout(timer)
  if (failed !== undefined) warn(failed)
}
