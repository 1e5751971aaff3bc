/** A collector for tests: takes OTLP over HTTP as JSON and keeps the spans, with the service that made each. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ReceivedSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly service: string
  readonly facts: Readonly<Record<string, unknown>>
}

type Value = { readonly stringValue?: string; readonly intValue?: string | number; readonly boolValue?: boolean; readonly doubleValue?: number }
type Attribute = { readonly key: string; readonly value: Value }
type WireSpan = { readonly name: string; readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly attributes?: ReadonlyArray<Attribute> }
type Traces = { readonly resourceSpans: ReadonlyArray<{ readonly resource: { readonly attributes: ReadonlyArray<Attribute> }; readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<WireSpan> }> }> }

const plain = (attributes: ReadonlyArray<Attribute> = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue ?? value.doubleValue]))

export const otlpReceiver = async (): Promise<{ readonly url: string; readonly spans: () => ReadonlyArray<ReceivedSpan>; readonly stop: () => void }> => {
  const spans: Array<ReceivedSpan> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        for (const { resource, scopeSpans } of (JSON.parse(Buffer.concat(chunks).toString()) as Traces).resourceSpans) {
          const service = String(plain(resource.attributes)['service.name'])
          for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push({ ...span, service, facts: plain(span.attributes) })
        }
      }
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
