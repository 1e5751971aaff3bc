/** Services as separate processes, two workers: each item is done once, and a killed worker's connection goes on. */
import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { startProcess, until, type ServiceProcess } from '../support/processes.ts'

/** The lease and the redelivery behind it, both a tenth of what they are in production. */
const leaseTtlMs = 3_000
const ackWaitMs = 4_000
const cards = 3_000

let server: TestServer
let bus: Bus
let dir: string
const processes: Array<ServiceProcess> = []
const results: Array<RunResult> = []

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  const consumers = consumerDefs.map((def) => (def.stream === 'SYNC_WORK' ? { ...def, ackWaitMs } : def))
  await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers }, { replicas: 1 })()
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) results.push(result.right)
    },
    onError: () => undefined,
  })
  const env = { NATS_URL: server.url, WORKER_LEASE_TTL_MS: String(leaseTtlMs) }
  const started = await Promise.all([
    startProcess('conflict-resolver', env),
    startProcess('scheduler', env),
    startProcess('sync-worker', { ...env, WORKER_NAME: 'worker-1' }),
    startProcess('sync-worker', { ...env, WORKER_NAME: 'worker-2' }),
  ])
  processes.push(...started)
  dir = await mkdtemp(join(tmpdir(), 'syncline-killed-'))
}, 60_000)

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill('SIGKILL')))
  await bus.close()
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

const applyFolders = async (id: string, everyMs: number): Promise<void> => {
  const flow = { id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: join(dir, id, 'a') }, destination: { provider: 'file', path: join(dir, id, 'b') } }
  const connection = Connection.decode({ id, schedule: { kind: 'interval', everyMs }, flows: [flow] })
  if (E.isLeft(connection)) throw new Error('not a connection')
  await openBucket(bus)(buckets.connections).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
}

const folders = async (id: string, count: number): Promise<void> => {
  await mkdir(join(dir, id, 'a'), { recursive: true })
  await mkdir(join(dir, id, 'b'), { recursive: true })
  for (let n = 0; n < count; n++) await writeFile(join(dir, id, 'a', `${id}-${n}.vcf`), `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${id}-${n}\r\nFN:Person ${n}\r\nEND:VCARD\r\n`)
}

it('shares work between the workers, each item once', async () => {
  const ids = ['s1', 's2', 's3', 's4', 's5', 's6']
  for (const id of ids) await folders(id, 5)
  await Promise.all(ids.map((id) => applyFolders(id, 60_000)))
  await until('six first syncs', () => results.filter(({ cause }) => cause === 'first').length === ids.length)
  expect(results.map(({ conn }) => conn).sort()).toEqual(ids)
  expect(results.every(({ outcome, flows }) => outcome === 'succeeded' && flows[0]?.counts.created === 5)).toBe(true)
})

it('goes on within the lease time and five seconds when the worker is killed in the middle', async () => {
  await folders('big', cards)
  await applyFolders('big', 60_000)
  const copied = async (): Promise<number> => (await readdir(join(dir, 'big', 'b'))).filter((name) => name.endsWith('.vcf')).length
  await until('the first cards', async () => (await copied()) > 100, 20_000)
  const lease = await openBucket(bus)(buckets.state).get('lease.big')()
  if (E.isLeft(lease) || lease.right?.value === undefined || lease.right.value === null) throw new Error('nobody holds the lease')
  const { owner } = JSON.parse(new TextDecoder().decode(lease.right.value)) as { owner: string }
  const victim = processes[owner === 'worker-1' ? 2 : 3]
  await victim?.kill('SIGKILL')
  const killedAt = Date.now()
  const before = await copied()
  expect(before).toBeLessThan(cards)
  await until('the successor writes', async () => (await copied()) > before, leaseTtlMs + 5_000)
  expect(Date.now() - killedAt).toBeLessThan(leaseTtlMs + 5_000)
  await until('the end of the run', () => results.some(({ conn, outcome }) => conn === 'big' && outcome === 'succeeded'), 30_000)
  expect(await copied()).toBe(cards)
  const end = results.find(({ conn }) => conn === 'big')
  expect(end?.attempt).toBeGreaterThan(1)
  expect(end?.worker).not.toBe(owner)
}, 60_000)
