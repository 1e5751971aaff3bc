/**
 * A ledger of a million links in KV on a real nats-server: filling it page by page as a first sync does, a delta that touches
 * few links, reading it whole as a resync does. Run: node bench/ledger.bench.ts [links=1000000]. What is and is not
 * measured: bench/README.md.
 */
import { systemClock } from '#libs/clock.ts'
import { linkKey } from '#libs/domain/record.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { maxPagesPerCommit, openKvLedger, type StoredLedger } from '../services/sync-worker/kv-ledger.ts'
import { natsState } from '../services/sync-worker/nats-state.ts'
import type { StateStore } from '../services/sync-worker/ports.ts'
import { checkpoint, conn, flow, worker } from '../test/support/hold-rig.ts'
import { connectTo, startTestServer } from '../test/support/nats-server.ts'
import { provisionState } from '../test/support/state-rig.ts'

const count = Number(process.argv[2] ?? 1_000_000)

const right = <A>(what: string, either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(`${what}: ${JSON.stringify(either.left)}`)
  return either.right
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

const server = await startTestServer()
const bus = await connectTo(server)
await provisionState(bus, 1)
const real = natsState(bus, Date.now)
const traffic = { read: 0, written: 0, commits: 0 }
const state: StateStore = {
  ...real,
  readPages: (...ask) => ((traffic.read += ask[2].length), real.readPages(...ask)),
  writeBatch: (batch) => ((traffic.written += batch.pages.length), traffic.commits++, real.writeBatch(batch)),
}
const keyOf = (n: number): string => linkKey(conn, flow, `item-${n}`)
const linkOf = (n: number, version: number): readonly [string, Link] => {
  const hash = `${version}`.padEnd(22, `${n}`)
  return [keyOf(n), { key: `item-${n}`, st: 'linked', idA: `a/item-${n}.vcf`, idB: `b/item-${n}.vcf`, verA: `"${hash}"`, verB: `"${hash}"`, hA: hash, hB: hash, genA: 1, genB: 1 }]
}
const stored = async (): Promise<StoredLedger> => {
  const found = right('checkpoint', await state.readCheckpoint(conn, flow)())
  return { checkpoint: found?.value ?? null, revision: found?.revision ?? 0, believed: true }
}
const timed = async (what: string, work: () => Promise<string>): Promise<void> => {
  Object.assign(traffic, { read: 0, written: 0, commits: 0 })
  const from = performance.now()
  const more = await work()
  const seconds = (performance.now() - from) / 1000
  say(`${what}: ${seconds.toFixed(2)} s, ${traffic.read} pages read, ${traffic.written} written in ${traffic.commits} commits${more}; RSS ${megabytes(process.memoryUsage.rss())}`)
}

const hold = await worker('bench', state, systemClock).take()
await timed(`first sync, ${count} links`, async () => {
  const ledger = openKvLedger(state, hold, conn, flow, await stored())
  ledger.expect(count)
  const byPage = new Map<number, Array<number>>()
  for (let n = 0; n < count; n++) {
    const page = ledger.pageOf(keyOf(n))
    byPage.set(page, [...(byPage.get(page) ?? []), n])
  }
  const pages = [...byPage.values()]
  for (let from = 0; from < pages.length; from += maxPagesPerCommit) {
    const puts = pages.slice(from, from + maxPagesPerCommit).flat().map((n) => linkOf(n, 1))
    right('commit', await ledger.commit(puts, [], checkpoint('a', { phase: 'first' })))
  }
  const { messages, bytes } = right('stream', await streamInfo(bus)('KV_sync_state')())
  return `, ${messages} messages of ${megabytes(bytes)} in the bucket`
})
for (const touched of [1, 100, 10_000]) {
  await timed(`delta of ${touched} links spread evenly`, async () => {
    const ledger = openKvLedger(state, hold, conn, flow, await stored())
    const numbers = Array.from({ length: touched }, (_, i) => Math.floor((i * count) / touched))
    right('load', await ledger.load(numbers.map(keyOf)))
    const byPage = new Map<number, Array<number>>()
    for (const n of numbers) byPage.set(ledger.pageOf(keyOf(n)), [...(byPage.get(ledger.pageOf(keyOf(n))) ?? []), n])
    const pages = [...byPage.values()]
    for (let from = 0; from < pages.length; from += maxPagesPerCommit) {
      right('commit', await ledger.commit(pages.slice(from, from + maxPagesPerCommit).flat().map((n) => linkOf(n, 2)), [], checkpoint('b')))
    }
    return ''
  })
}
await timed('all of it read, as a resync does', async () => {
  const ledger = openKvLedger(state, hold, conn, flow, await stored())
  right('load', await ledger.load('all'))
  if (!ledger.isWhole() || ledger.links.size !== count) throw new Error(`${ledger.links.size} links of ${count}`)
  return ''
})
await hold.release([])
await bus.close()
await server.stop()
