/** kill -9 in the middle of a 100,000-row load: started again, nothing is doubled and only uncommitted pages are read again. */
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
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
import { freshDatabase } from '../support/postgres.ts'
import { startProcess, until, type ServiceProcess } from '../support/processes.ts'

const rows = 100_000
let server: TestServer
let bus: Bus
let dir: string
let database: pg.Client
let url: string
const processes: Array<ServiceProcess> = []
const results: Array<RunResult> = []

beforeAll(async () => {
  url = await freshDatabase()
  database = new pg.Client({ connectionString: url })
  await database.connect()
  await database.query('create table readings (id bigint primary key, meter text, kwh numeric)')
  server = await startTestServer()
  bus = await connectTo(server)
  const consumers = consumerDefs.map((def) => (def.stream === 'SYNC_WORK' ? { ...def, ackWaitMs: 4_000 } : def))
  await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers }, { replicas: 1 })()
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) results.push(result.right)
    },
    onError: () => undefined,
  })
  dir = await mkdtemp(join(tmpdir(), 'syncline-load-'))
  const lines = Array.from({ length: rows }, (_, n) => JSON.stringify({ id: n, meter: `m${n % 100}`, kwh: n / 8 }))
  await writeFile(join(dir, 'readings.jsonl'), `${lines.join('\n')}\n`)
}, 60_000)

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill('SIGKILL')))
  await database.end()
  await bus.close()
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

const stored = async (): Promise<number> => Number((await database.query<{ n: string }>('select count(*) as n from readings')).rows[0]?.n)

it('goes on where it was committed', async () => {
  const env = { NATS_URL: server.url, WORKER_LEASE_TTL_MS: '3000', METERS: url }
  processes.push(...(await Promise.all([startProcess('scheduler', env), startProcess('conflict-resolver', env)])))
  const worker = await startProcess('sync-worker', env)
  processes.push(worker)
  const flow = { id: 'main', direction: 'one-way', kind: 'row', source: { provider: 'file', path: join(dir, 'readings.jsonl'), key: 'id' }, destination: { provider: 'postgres', url: { env: 'METERS' }, table: 'readings', key: 'id' } }
  const connection = Connection.decode({ id: 'meters', schedule: { kind: 'interval', everyMs: 3_600_000 }, flows: [flow] })
  if (E.isLeft(connection)) throw new Error('not a connection')
  await openBucket(bus)(buckets.connections).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
  await until('a part of the load', async () => (await stored()) > 10_000, 30_000)
  await worker.kill('SIGKILL')
  const before = await stored()
  expect(before).toBeLessThan(rows)
  processes.push(await startProcess('sync-worker', env))
  await until('the end of the load', () => results.some(({ outcome }) => outcome === 'succeeded'), 60_000)
  const end = results.at(-1)
  expect(end?.attempt).toBeGreaterThan(1)
  expect(end?.flows[0]?.counts).toMatchObject({ read: rows - before, created: rows - before, conflicts: 0 })
  const sums = await database.query<{ n: string; ids: string; kwh: string }>('select count(*) as n, sum(id) as ids, sum(kwh) as kwh from readings')
  const expected = (rows * (rows - 1)) / 2
  expect(sums.rows[0]).toEqual({ n: String(rows), ids: String(expected), kwh: expect.stringMatching(new RegExp(`^${expected / 8}(\\.0+)?$`)) as unknown })
}, 120_000)
