import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemRandom } from '#libs/random.ts'
import { startTelemetry, wantedSignals } from '#libs/telemetry/otel.ts'
import type { Telemetry } from '#libs/telemetry/otel.ts'

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string } }
type OtlpSpan = { readonly name: string; readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly attributes: ReadonlyArray<Attribute> }
type Traces = { readonly resourceSpans: ReadonlyArray<{ readonly resource: { readonly attributes: ReadonlyArray<Attribute> }; readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<OtlpSpan> }> }> }

const endings: Array<() => Promise<unknown> | void> = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
  vi.unstubAllEnvs()
})

/** Collects what is posted; `answers: false` takes the connection and never says a word. */
const otlpReceiver = async ({ answers = true } = {}) => {
  const posts: Array<{ readonly path: string; readonly body: string }> = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      posts.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() })
      if (answers) response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts }
}

/** The SDK reads the process's own variables, so a test sets them there. */
const started = async (service: string, variables: Readonly<Record<string, string>>): Promise<Telemetry & { readonly warnings: ReadonlyArray<string> }> => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const warnings: string[] = []
  const say = () => undefined
  const log = { debug: say, info: say, error: say, warn: (event: string) => void warnings.push(event), child: () => log }
  const telemetry = await startTelemetry({ service, version: '1.2.3', env: variables, random: systemRandom, log })
  endings.push(telemetry.shutdown)
  return { ...telemetry, warnings }
}

const spansIn = (posts: ReadonlyArray<{ readonly path: string; readonly body: string }>) =>
  posts.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => (JSON.parse(body) as Traces).resourceSpans).flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({
      ...span,
      service: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
      resource: resource.attributes.map(({ key }) => key),
    }))))

describe('two services of one process with a collector', () => {
  it('export one tree under two names', async () => {
    const { url, posts } = await otlpReceiver()
    const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' }
    const scheduler = await started('scheduler', variables)
    const worker = await started('sync-worker', variables)

    await scheduler.tracer.span('sync.tick', { attributes: { conn: 'contacts' } }, (tick) =>
      worker.tracer.span('sync.run', { parent: tick.traceparent }, (run) =>
        worker.tracer.span('sync.flow', { parent: run.traceparent }, async () => undefined)))
    worker.metrics.count('syncline.runs', { outcome: 'succeeded' })
    worker.metrics.observe('syncline.run.duration', 0.02, { outcome: 'succeeded' })
    await scheduler.shutdown()
    await worker.shutdown()

    const spans = spansIn(posts)
    const [tick, run, flow] = ['sync.tick', 'sync.run', 'sync.flow'].map((name) => spans.find((span) => span.name === name))
    expect([tick?.service, run?.service, flow?.service]).toEqual(['syncline-scheduler', 'syncline-sync-worker', 'syncline-sync-worker'])
    expect(tick?.parentSpanId ?? '').toBe('')
    expect(run?.parentSpanId).toBe(tick?.spanId)
    expect(flow?.parentSpanId).toBe(run?.spanId)
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
    expect(tick?.attributes).toEqual([{ key: 'syncline.conn', value: { stringValue: 'contacts' } }])
    expect(tick?.resource).toEqual(expect.arrayContaining(['service.version', 'service.namespace', 'deployment.environment.name']))
    expect(tick?.resource.filter((key) => key.startsWith('process.'))).toEqual([])
    const metrics = posts.filter(({ path }) => path === '/v1/metrics').map(({ body }) => body).join('')
    expect(metrics).toContain('syncline.runs')
    expect(metrics).toContain('syncline.run.duration')
    expect(metrics).not.toContain('syncline-scheduler')
    expect([...scheduler.warnings, ...worker.warnings]).toEqual([])
  })
})

describe('when only traces have an address', () => {
  it('no metrics are sent anywhere', async () => {
    const { url, posts } = await otlpReceiver()
    const { tracer, metrics, shutdown } = await started('tracker', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
    await tracer.span('tracker.record', {}, async () => metrics.count('syncline.runs'))
    await shutdown()
    expect(posts.map(({ path }) => path)).toEqual(['/v1/traces'])
  })
})

/** The exporters' own timeout, which nobody is made to wait for; our two seconds, and a machine that is busy, stay below. */
const ownPatienceMs = 9_500

describe('when nothing listens', () => {
  const nobody = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces', OTEL_EXPORTER_OTLP_TIMEOUT: '100' }

  it('the work goes on, the end comes in time, and one line says so', async () => {
    const { tracer, shutdown, warnings } = await started('tracker', nobody)
    expect(await tracer.span('tracker.record', {}, async () => 'done')).toBe('done')
    const startedAt = performance.now()
    await shutdown()
    expect(performance.now() - startedAt).toBeLessThan(ownPatienceMs)
    expect(warnings).toEqual(['telemetry.failed'])
  })

  it('one line says so for many failures', async () => {
    const { tracer, warnings } = await started('tracker', { ...nobody, OTEL_BSP_SCHEDULE_DELAY: '5', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' })
    for (let i = 0; i < 5; i++) await tracer.span('tracker.record', {}, async () => undefined)
    await vi.waitFor(() => {
      expect(warnings).toEqual(['telemetry.failed'])
    }, 60_000)
  })
})

describe('when the collector takes the connection and never answers', () => {
  it('the end waits two seconds and no longer', async () => {
    const { url } = await otlpReceiver({ answers: false })
    const { tracer, shutdown, warnings } = await started('tracker', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces` })
    await tracer.span('tracker.record', {}, async () => undefined)
    const startedAt = performance.now()
    await shutdown()
    const tookMs = performance.now() - startedAt
    expect(tookMs).toBeGreaterThan(1_900)
    expect(tookMs).toBeLessThan(ownPatienceMs)
    expect(warnings).toEqual(['telemetry.failed'])
  })
})

describe('which signals are wanted', () => {
  const cases: ReadonlyArray<readonly [name: string, env: Readonly<Record<string, string>>, traces: boolean, metrics: boolean]> = [
    ['nothing set', {}, false, false],
    ['empty variables', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_TRACES_EXPORTER: '' }, false, false],
    ['one address for all', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true, true],
    ['an address for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true, false],
    ['an address for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c:4318/v1/metrics' }, false, true],
    ['traces to the console', { OTEL_TRACES_EXPORTER: 'console' }, true, false],
    ['metrics to be scraped', { OTEL_METRICS_EXPORTER: 'prometheus' }, false, true],
    ['all but metrics', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_METRICS_EXPORTER: 'none' }, true, false],
    ['switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'TRUE' }, false, false],
  ]
  it.each(cases)('%s', (_, env, traces, metrics) => {
    expect(wantedSignals(env)).toEqual({ traces, metrics })
  })
})

describe('switched off', () => {
  it('still gives every trace an id, and counts into nothing', async () => {
    const { tracer, metrics, shutdown } = await startTelemetry({ service: 'x', version: '1.2.3', env: {}, random: systemRandom })
    expect(await tracer.span('sync.run', {}, async ({ traceId }) => traceId)).toMatch(/^[0-9a-f]{32}$/)
    metrics.count('syncline.runs')
    metrics.observe('syncline.run.duration', 1)
    await shutdown()
  })
})
