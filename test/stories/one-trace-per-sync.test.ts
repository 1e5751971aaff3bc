/** Four services as processes, a collector: one tree per sync, from the tick to the tracker, with the catalogue's names. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { encode } from '#libs/contracts/decode.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { spans as catalogue } from '#libs/telemetry/events.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { otlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'
import { startProcess, until, type ServiceProcess } from '../support/processes.ts'
import { onceInACentury } from '../support/schedules.ts'

let server: TestServer
let dir: string
let processes: ReadonlyArray<ServiceProcess> = []
let collector: Awaited<ReturnType<typeof otlpReceiver>>

const card = (uid: string, name: string): string => `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${uid}\r\nFN:${name}\r\nEND:VCARD\r\n`

beforeAll(async () => {
  server = await startTestServer()
  collector = await otlpReceiver()
  dir = await mkdtemp(join(tmpdir(), 'syncline-trace-'))
  for (const side of ['a', 'b']) await mkdir(join(dir, side))
  await writeFile(join(dir, 'a', 'x.vcf'), card('x', 'From A'))
  await writeFile(join(dir, 'b', 'x.vcf'), card('x', 'From B, longer'))
  const bus = await connectTo(server)
  await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  const env = { NATS_URL: server.url, TRACKER_HTTP_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '200' }
  processes = await Promise.all(['conflict-resolver', 'tracker', 'scheduler', 'sync-worker'].map((name) => startProcess(name, env)))
  const flow = { id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: join(dir, 'a') }, destination: { provider: 'file', path: join(dir, 'b') } }
  const connection = Connection.decode({ id: 'cards', schedule: onceInACentury, flows: [flow] })
  if (E.isLeft(connection)) throw new Error('not a connection')
  await openBucket(bus)(buckets.connections).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
  await bus.close()
})

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill('SIGTERM')))
  collector.stop()
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

it('tells one sync as one tree', async () => {
  await until('the tracker recorded the run', () => collector.spans().some(({ name }) => name === 'tracker.record'))
  const traceId = collector.spans().find(({ name }) => name === 'tracker.record')?.traceId
  const spansOfTrace = (): ReadonlyArray<ReceivedSpan> => collector.spans().filter((span) => span.traceId === traceId)
  // Each service sends its spans when it comes to it, parents behind their children.
  const expected = ['sync.tick', 'sync.run', 'sync.acquire', 'sync.flow', 'sync.read', 'sync.plan', 'sync.resolve', 'resolver.resolve', 'sync.archive', 'sync.write', 'sync.commit', 'sync.report', 'tracker.record', 'sync.release']
  await until('all spans of the trace', () => {
    const [told, ids] = [new Set(spansOfTrace().map(({ name }) => name)), new Set(spansOfTrace().map(({ spanId }) => spanId))]
    return expected.every((name) => told.has(name)) && spansOfTrace().every(({ name, parentSpanId }) => name === 'sync.tick' || ids.has(parentSpanId ?? ''))
  }).catch((cause: unknown) => { throw new Error(`${String(cause)}; told: ${JSON.stringify(spansOfTrace())}`) })
  const tree = spansOfTrace()
  const names = new Set(tree.map(({ name }) => name))
  for (const name of names) expect(Object.keys(catalogue)).toContain(name)
  expect(new Set(tree.map(({ service }) => service))).toEqual(new Set(['syncline-scheduler', 'syncline-sync-worker', 'syncline-conflict-resolver', 'syncline-tracker']))
  const ids = new Set(tree.map(({ spanId }) => spanId))
  const roots = tree.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '' || !ids.has(parentSpanId))
  expect(roots.map(({ name }) => name)).toEqual(['sync.tick'])
  expect(JSON.stringify(tree)).not.toContain('From A')
})
