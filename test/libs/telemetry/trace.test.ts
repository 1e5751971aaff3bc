import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '#libs/random.ts'
import { quietTracer, recordingTracer } from '#libs/telemetry/trace.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { parseTraceparent } from '#libs/telemetry/traceparent.ts'

const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const recording = () => {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { tracer: recordingTracer(provider.getTracer('test')), ended: () => exporter.getFinishedSpans() }
}

const traceparentOf = (tracer: Tracer, from?: string): Promise<string> =>
  tracer.span('sync.run', { parent: from }, async ({ traceparent }) => traceparent)

describe('a tracer that records nothing', () => {
  const tracer = quietTracer(systemRandom)

  it('passes the parent on as it came, so that a trace goes through a service that does not export', async () => {
    expect(await traceparentOf(tracer, parent)).toBe(parent)
  })

  it('makes up a valid trace where there is none, another each time', async () => {
    const [first, second] = [await traceparentOf(tracer), await traceparentOf(tracer, 'nonsense')]
    expect(parseTraceparent(first)).toBeDefined()
    expect(parseTraceparent(second)).toBeDefined()
    expect(first).not.toBe(second)
  })

  it('hands out the trace id that its traceparent holds', async () => {
    await tracer.span('sync.run', {}, async ({ traceparent, traceId }) => {
      expect(parseTraceparent(traceparent)?.traceId).toBe(traceId)
    })
  })

  it('passes a rejection on', async () => {
    await expect(tracer.span('sync.run', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})

describe('a tracer that records', () => {
  it('hangs the span below its parent and the next below the span', async () => {
    const { tracer, ended } = recording()
    await tracer.span('sync.run', { parent }, (run) => tracer.span('sync.flow', { parent: run.traceparent }, async () => undefined))
    const [flow, run] = ended()
    expect(run?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
    expect(flow?.parentSpanContext?.spanId).toBe(run?.spanContext().spanId)
    expect(flow?.spanContext().traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  })

  it('says the facts of the allow-list behind its prefix, and no others', async () => {
    const { tracer, ended } = recording()
    await tracer.span('sync.run', { attributes: { conn: 'contacts', password: 'hunter2' } }, async (span) => {
      span.set({ items: 3, url: 'https://u:p@host/x?token=1', constructor: 'no' })
    })
    expect(ended()[0]?.attributes).toEqual({ 'syncline.conn': 'contacts', 'syncline.items': 3, 'syncline.url': 'https://host/x?[withheld]' })
  })

  it('marks a rejection as failure, without credentials, ends the span and passes the rejection on', async () => {
    const { tracer, ended } = recording()
    const work = tracer.span('sync.read', {}, () => Promise.reject(new Error('GET https://u:p@host/ failed')))
    await expect(work).rejects.toThrow('failed')
    expect(ended()[0]?.status).toEqual({ code: 2, message: 'Error: GET https://host/ failed' })
  })

  it('lets a span be failed while the work goes on', async () => {
    const { tracer, ended } = recording()
    const result = await tracer.span('sync.read', {}, async (span) => {
      span.fail('one of many')
      return 'done'
    })
    expect(result).toBe('done')
    expect(ended()[0]?.status).toEqual({ code: 2, message: 'one of many' })
  })
})
