/**
 * A record file into PostgreSQL through the whole house, services as processes: rows per second, peak memory of the worker,
 * the quiet delta after it, and a growth of 1 %. The worker runs as `npm run start:sync-worker` starts it. Run: node bench/file-to-postgres.bench.ts [rows=1000000].
 */
import { createWriteStream } from 'node:fs'
import { appendFile, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { TriggerAnswer } from '#libs/contracts/trigger.ts'
import { Connection } from '#libs/domain/connection.ts'
import { startPostgres } from '#libs/embedded/postgres.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer } from '../test/support/nats-server.ts'
import { startProcess } from '../test/support/processes.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const orThrow = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}
const row = (n: number): string => JSON.stringify({ id: n, meter: `meter-${n % 1000}`, read_at: new Date(1_700_000_000_000 + n * 1000).toISOString(), kwh: (n % 977) / 10, note: `reading number ${n}` }) + '\n'

const dir = await mkdtemp(join(tmpdir(), 'syncline-bench-'))
await chmod(dir, 0o755)
const file = join(dir, 'readings.jsonl')
const out = createWriteStream(file)
for (let n = 0; n < rows; n++) if (!out.write(row(n))) await once(out, 'drain')
out.end()
await once(out, 'finish')

const postgres = orThrow(await startPostgres({ dataDir: join(dir, 'pg'), port: 0, database: 'bench' })())
const client = new pg.Client({ connectionString: postgres.url })
await client.connect()
await client.query('create table readings (id bigint primary key, meter text, read_at timestamptz, kwh numeric, note text)')
const server = await startTestServer()
const bus = await connectTo(server)
orThrow(await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })())
const results: Array<RunResult> = []
let heard = (): void => undefined
subscribe(bus, {
  subject: subjects.results,
  handle: ({ body }) => {
    results.push(orThrow(decode(RunResult, body)))
    heard()
  },
  onError: () => undefined,
})
const env = { NATS_URL: server.url, BENCH_URL: postgres.url, ...(process.env['WORKER_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['WORKER_NODE_OPTIONS'] }) }
const [worker] = await Promise.all([startProcess('sync-worker', env), startProcess('scheduler', env), startProcess('conflict-resolver', env)])
const connection = orThrow(Connection.decode({
  id: 'load', schedule: { kind: 'interval', everyMs: 86_400_000 },
  flows: [{ id: 'main', direction: 'one-way', kind: 'row', source: { provider: 'file', path: file, key: 'id' }, destination: { provider: 'postgres', url: { env: 'BENCH_URL' }, table: 'readings', key: 'id' } }],
}))
const next = (): Promise<RunResult> => new Promise((done) => (heard = () => done(results.at(-1) as RunResult)))
const told = (what: string, result: RunResult): void => {
  const ms = result.finishedAt - result.startedAt
  const counts = result.flows[0]?.counts
  process.stdout.write(`${what}: ${result.outcome} in ${ms} ms, ${JSON.stringify(counts)}${result.error === undefined ? '' : ` ${result.error.message}`}\n`)
}
const peakMb = async (): Promise<number> => Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${worker?.child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

const first = next()
orThrow(await openBucket(bus)(buckets.connections).put(connection.id, encode(ConnectionDocument, { connection, appliedAt: Date.now() }))())
const cold = await first
told('cold load', cold)
process.stdout.write(`  ${Math.round(rows / ((cold.finishedAt - cold.startedAt) / 1000))} rows/s, worker peak ${Math.round(await peakMb())} MB RSS\n`)
const trigger = async (what: string): Promise<void> => {
  const ended = next()
  // The result comes before the ack: for a moment the connection is still busy.
  for (;;) {
    const answer = orThrow(await ask(bus)(subjects.trigger('load'), new Uint8Array(), { timeoutMs: 5_000 })())
    if (orThrow(decode(TriggerAnswer, answer.body)).code === 202) break
  }
  told(what, await ended)
}
await trigger('quiet delta')
let growth = ''
for (let n = rows; n < rows * 1.01; n++) growth += row(n)
await appendFile(file, growth)
await trigger('1 % growth')
await trigger('quiet delta')
const count = await client.query<{ count: string }>('select count(*) from readings')
process.stdout.write(`rows at the destination: ${count.rows[0]?.count}; worker peak ${Math.round(await peakMb())} MB RSS\n`)
await worker?.kill('SIGTERM')
await client.end()
await postgres.stop()
await bus.close()
await server.stop()
await rm(dir, { recursive: true, force: true })
process.exit(0)
