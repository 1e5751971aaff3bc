/**
 * PostgreSQL → PostgreSQL through the whole house, services as processes, beside the floor (psql alone) in the same run: cold
 * load, nothing changed, 1 % changed, and two-way with 1 % changed on each side. Peak memory is that of the real worker.
 * Run: node bench/postgres-to-postgres.bench.ts [--rows 1000000] [--rounds 3] [--quick] [--only one-way|two-way].
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '#libs/embedded/postgres.ts'
import { connected, editOneInHundred, fill, floor, indexByCursor, makeTable, sumOf, vacuum } from './row-tables.ts'
import { median, orThrow, startServices, type Ended } from './services-rig.ts'

const { values } = parseArgs({ options: { rows: { type: 'string' }, rounds: { type: 'string' }, quick: { type: 'boolean', default: false }, only: { type: 'string' }, 'worker-options': { type: 'string' } } })
const rows = Number(values.rows ?? (values.quick ? 100_000 : 1_000_000))
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const workerOptions = values['worker-options'] ?? '--max-semi-space-size=8'
const twoWay = values.only !== 'one-way'
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 1_000 ? 3 : 2)} s`

const dir = await mkdtemp(join(tmpdir(), 'syncline-bench-'))
await chmod(dir, 0o755)
// Sized for a million rows, as anybody would size it; fsync and the rest are as they come. Floor and load share it.
const settings = { shared_buffers: '512MB', max_wal_size: '4GB' }
const given = process.env['SYNCLINE_TEST_PG_URL']
const postgres = given === undefined ? orThrow(await startPostgres({ dataDir: join(dir, 'pg'), port: 0, database: 'postgres', settings })()) : { url: given, stop: () => Promise.resolve() }
const admin = await connected(postgres.url)
const databaseOf = async (name: string): Promise<string> => {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.query(`CREATE DATABASE ${name}`)
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  return url.href
}
const [from, to] = [await databaseOf('bench_from'), await databaseOf('bench_to')]
const [a, b] = [await connected(from), await connected(to)]
const version = (await admin.query<{ server_version: string }>('SHOW server_version')).rows[0]?.server_version ?? ''
say(`${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, PostgreSQL ${version}${given === undefined ? ` (${JSON.stringify(settings)})` : ''}`)
say(`${rows} rows, ${rounds} rounds; worker: node ${workerOptions} services/sync-worker/main.ts`)
await fill(a, 'public.rows', rows)
await vacuum(a, 'public.rows')
const services = await startServices({ BENCH_FROM: from, BENCH_TO: to }, workerOptions)

const figures = new Map<string, Array<number>>()
const told = (what: string, value: number, more = ''): void => {
  figures.set(what, [...(figures.get(what) ?? []), value])
  say(`  ${what}: ${what.endsWith('MB') ? Math.round(value) : seconds(value)}${more}`)
}
const tell = (what: string, { ms, result }: Ended, base?: number): void => {
  const { created, updated, adopted, unchanged, read } = result.flows[0]?.counts ?? { created: 0, updated: 0, adopted: 0, unchanged: 0, read: 0 }
  told(what, ms, `${base === undefined ? '' : ` = ${(ms / base).toFixed(2)} × floor`} (read ${read}, created ${created}, updated ${updated}, adopted ${adopted}, unchanged ${unchanged})`)
}
const equal = async (): Promise<void> => {
  const [left, right] = await Promise.all([sumOf(a, 'public.rows'), sumOf(b, 'public.rows')])
  if (left !== right) throw new Error(`the sides differ: ${left} and ${right}`)
}
const side = (env: string) => ({ provider: 'postgres', url: { env }, table: 'public.rows', cursor: 'updated_at' })
const flowOf = (direction: 'one-way' | 'two-way') => ({ id: 'main', direction, kind: 'row', source: side('BENCH_FROM'), destination: side('BENCH_TO') })
const connectionOf = (id: string, direction: 'one-way' | 'two-way') => ({ id, schedule: { kind: 'interval', everyMs: 86_400_000 }, runTimeoutMs: 3_600_000, flows: [flowOf(direction)] })
const emptied = async (table: string): Promise<void> => {
  await b.query(`DROP TABLE IF EXISTS ${table}`)
  await makeTable(b, table)
  await Promise.all([a.query('CHECKPOINT'), b.query('CHECKPOINT')])
}

for (let round = 1; round <= rounds; round++) {
  say(`round ${round}`)
  await emptied('public.floor')
  const cold = await floor(from, to, 'public.rows', 'public.floor')
  told('floor: cold load', cold)
  await vacuum(b, 'public.floor')
  await b.query('DROP SCHEMA IF EXISTS syncline CASCADE')
  await services.freshWorker()
  await emptied('public.rows')
  if (values.only !== 'two-way') {
    const conn = `one-way-${round}`
    tell('cold load', await services.load(connectionOf(conn, 'one-way')), cold)
    told('processor time of the worker in it', await services.workerCpuMs())
    told('worker in the cold load, MB', await services.peakMb())
    await equal()
    await Promise.all([vacuum(b, 'public.rows'), a.query('CHECKPOINT')])
    for (let n = 0; n < 3; n++) tell('nothing changed', await services.run(conn))
    await editOneInHundred(a, 'public.rows', round, 'the source')
    const base = await floor(from, to, 'public.rows', 'public.floor', "updated_at > now() - interval '1 hour'")
    told('floor: 1 % changed', base)
    tell('1 % changed', await services.run(conn), base)
    told('worker in quiet and 1 % runs, MB', await services.peakMb())
    await equal()
    await services.remove(conn)
  }
  if (twoWay) {
    if (values.only === 'two-way') await floor(from, to, 'public.rows', 'public.rows')
    const conn = `two-way-${round}`
    await b.query('DROP SCHEMA IF EXISTS syncline CASCADE')
    await indexByCursor(b, 'public.rows')
    await vacuum(b, 'public.rows')
    await services.freshWorker()
    tell('two-way, both sides equal: first sync', await services.load(connectionOf(conn, 'two-way')))
    told('worker in the first two-way sync, MB', await services.peakMb())
    for (let n = 0; n < 3; n++) tell('two-way, nothing changed', await services.run(conn))
    await Promise.all([editOneInHundred(a, 'public.rows', 30 + round, 'the source'), editOneInHundred(b, 'public.rows', 60 + round, 'the destination')])
    tell('two-way, 1 % changed on each side', await services.run(conn))
    told('worker in two-way deltas, MB', await services.peakMb())
    await equal()
    await services.remove(conn)
  }
}

say('medians')
for (const [what, all] of figures) say(`  ${what}: ${what.endsWith('MB') ? Math.round(median(all)) : seconds(median(all))} (${all.length}: ${what.endsWith('MB') ? Math.round(Math.min(...all)) : seconds(Math.min(...all))} … ${what.endsWith('MB') ? Math.round(Math.max(...all)) : seconds(Math.max(...all))})`)
const ratio = (what: string): string => ((median(figures.get(what) ?? []) / median(figures.get(`floor: ${what}`) ?? [])).toFixed(2))
if (values.only !== 'two-way') say(`  cold load = ${ratio('cold load')} × floor; 1 % changed = ${ratio('1 % changed')} × floor`)

await services.stop()
await Promise.all([a.end(), b.end()])
if (given !== undefined) for (const name of ['bench_from', 'bench_to']) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
await admin.end()
await postgres.stop()
await rm(dir, { recursive: true, force: true })
process.exit(0)
