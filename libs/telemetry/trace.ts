/**
 * Knows how a piece of work becomes a span, and that a trace id exists even when nobody records. Parents are passed by
 * hand as `traceparent` text, since they come and go by message headers; no ambient context is used.
 * Does not know who exports: otel.ts hands in the SDK's tracer, or none.
 */
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Context, Tracer as OtelTracer } from '@opentelemetry/api'
import type { Random } from '../random.ts'
import { facts } from './facts.ts'
import type { SpanName } from './events.ts'
import { scrub } from './redact.ts'
import { formatTraceparent, isPlainTraceparent, newTraceParent, parseTraceparent } from './traceparent.ts'

/** Names are those of `facts` in facts.ts; others are left out of the span. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>

export type OpenSpan = {
  /** For the headers of whatever this span causes. */
  readonly traceparent: string
  /** 32 hexadecimal digits; valid also when nothing is exported. */
  readonly traceId: string
  readonly set: (attributes: SpanFacts) => void
  /** Marks the span as failed; the work itself goes on. */
  readonly fail: (message: string) => void
}

export type Tracer = {
  /**
   * Runs `body` inside a span that ends with it; a rejection marks the span as failed and is passed on.
   * `parent`: W3C traceparent of the cause; absent or invalid = a new trace.
   */
  readonly span: <A>(
    name: SpanName,
    options: { readonly parent?: string | undefined; readonly attributes?: SpanFacts },
    body: (span: OpenSpan) => Promise<A>,
  ) => Promise<A>
}

const ignore = (): void => undefined

/** Records nothing; passes the parent on as it came, or makes the trace up, so that logs and results carry an id. */
export const quietTracer = (random: Pick<Random, 'next'>): Tracer => ({
  span: (_name, { parent }, body) => {
    // nearly always: seven times in a run
    if (parent !== undefined && isPlainTraceparent(parent)) return body({ traceparent: parent, traceId: parent.slice(3, 35), set: ignore, fail: ignore })
    const known = parseTraceparent(parent)
    const own = known ?? newTraceParent(random.next)
    const traceparent = known === undefined || parent === undefined ? formatTraceparent(own) : parent
    return body({ traceparent, traceId: own.traceId, set: ignore, fail: ignore })
  },
})

/** Records through an OpenTelemetry tracer. */
export const recordingTracer = (otel: OtelTracer): Tracer => ({
  span: async (name, { parent, attributes }, body) => {
    const span = otel.startSpan(name, { attributes: attributesOf(attributes ?? {}) }, contextOf(parent))
    const { traceId, spanId, traceFlags } = span.spanContext()
    const fail = (message: string): void => {
      span.setStatus({ code: SpanStatusCode.ERROR, message: scrub(message) })
    }
    try {
      return await body({
        traceparent: formatTraceparent({ traceId, spanId, flags: traceFlags }),
        traceId,
        set: (more) => {
          span.setAttributes(attributesOf(more))
        },
        fail,
      })
    } catch (error) {
      fail(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
      throw error
    } finally {
      span.end()
    }
  },
})

const contextOf = (parent: string | undefined): Context => {
  const known = parseTraceparent(parent)
  if (known === undefined) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: known.traceId, spanId: known.spanId, traceFlags: known.flags, isRemote: true })
}

const attributesOf = (given: SpanFacts): SpanFacts => {
  const allowed: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(facts, name)) allowed[`syncline.${name}`] = typeof value === 'string' ? scrub(value) : value
  }
  return allowed
}
