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
  const connection = Connection.decode({ id: 'cards', schedule: { kind: 'interval', everyMs: 60_000 }, flows: [flow] })
  if (E.isLeft(connection)) throw new Error('not a connection')
  await openBucket(bus)(buckets.connections).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
  await bus.close()
}, 60_000)

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill('SIGTERM')))
  collector.stop()
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

it('tells one sync as one tree', async () => {
  const recorded = (): ReceivedSpan | undefined => collector.spans().find(({ name }) => name === 'tracker.record')
  await until('the tracker recorded the run', () => recorded() !== undefined && collector.spans().some(({ name }) => name === 'sync.run'))
  const traceId = recorded()?.traceId
  await until('all spans of the trace', () => collector.spans().some((span) => span.traceId === traceId && span.name === 'sync.release'))
  const tree = collector.spans().filter((span) => span.traceId === traceId)
  const names = new Set(tree.map(({ name }) => name))
  for (const name of ['sync.tick', 'sync.run', 'sync.acquire', 'sync.flow', 'sync.read', 'sync.plan', 'sync.resolve', 'resolver.resolve', 'sync.archive', 'sync.write', 'sync.commit', 'sync.report', 'tracker.record', 'sync.release']) {
    expect(names).toContain(name)
  }
  for (const name of names) expect(Object.keys(catalogue)).toContain(name)
  expect(new Set(tree.map(({ service }) => service))).toEqual(new Set(['syncline-scheduler', 'syncline-sync-worker', 'syncline-conflict-resolver', 'syncline-tracker']))
  const ids = new Set(tree.map(({ spanId }) => spanId))
  const roots = tree.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '' || !ids.has(parentSpanId))
  expect(roots.map(({ name }) => name)).toEqual(['sync.tick'])
  expect(JSON.stringify(tree)).not.toContain('From A')
})
