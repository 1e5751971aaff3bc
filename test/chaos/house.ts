/**
 * Knows the whole system under test on one machine: nats-server, PostgreSQL, the sandbox provider, a fault proxy before each, and
 * the services as processes of their own. Does not know what is done to it.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { streams } from '#libs/contracts/subjects.ts'
import { freePort } from '#libs/embedded/ports.ts'
import { startNatsServer, type NatsServer } from '#libs/embedded/nats-server.ts'
import { startPostgres, type Postgres } from '#libs/embedded/postgres.ts'
import { E } from '#libs/fp.ts'
import { connect, type Bus } from '#libs/nats/connect.ts'
import { provision } from '#libs/nats/provision.ts'
import { startChild, type Child } from './child.ts'
import { monotonic, type HistoryRecord } from './history.ts'
import { startProxy, type FaultProxy } from './proxy.ts'
import { startSandbox, type Sandbox } from './sandbox/provider.ts'
import { valueOf } from './systems/cloud.ts'
import { openTables, type Tables } from './systems/tables.ts'
import { startTape } from './state-tape.ts'

/** A tenth of the usual length, the shortest that a worker takes, where the two servers start within as much time. ms. */
const [shortestLeaseMs, longestLeaseMs] = [3_000, 30_000]
/** More than the lease: the server removes one that expired up to 0.3 s late (NATS.md §2.1). */
const ackAfterLeaseMs = 1_000

export type WorkerHouse = { readonly name: string; readonly nats: FaultProxy; readonly clockFile: string; child: Child }

export type House = {
  readonly dir: string
  /** A machine that is busy with other things gets longer ones: it could not renew the short. */
  readonly leaseTtlMs: number
  readonly bus: Bus
  readonly provider: Sandbox
  readonly proxies: { readonly postgres: FaultProxy; readonly sandbox: FaultProxy }
  readonly sandboxUrl: string
  readonly tables: { readonly a: Tables; readonly b: Tables }
  readonly workers: ReadonlyArray<WorkerHouse>
  /** By name: scheduler, resolver, tracker. */
  readonly services: Map<string, Child>
  readonly startWorker: (worker: WorkerHouse) => Promise<void>
  readonly startService: (name: ServiceName) => Promise<void>
  readonly nats: Revivable
  readonly postgres: Revivable
  /** Files beside the history that workers write on. */
  readonly notes: ReadonlyArray<string>
  /** Secrets that the services were given. */
  readonly canaries: ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

export type Revivable = { readonly kill: () => Promise<void>; /** Again, on the same port and store. */ readonly start: () => Promise<void>; readonly isUp: () => boolean }

export const serviceNames = ['scheduler', 'conflict-resolver', 'tracker'] as const
export type ServiceName = (typeof serviceNames)[number]

export type HouseOptions = { readonly workers: number; /** Absent: as the machine can. */ readonly leaseTtlMs?: number; readonly record: (record: HistoryRecord) => void; readonly readyWithinMs: number; readonly workerMain?: string; /** Beginning of the names of the files that workers write on. */ readonly notesBase: string }

export const openHouse = async ({ workers: count, leaseTtlMs: wantedLeaseMs, record, readyWithinMs, notesBase, workerMain = 'test/chaos/worker-main.ts' }: HouseOptions): Promise<House> => {
  const from = monotonic()
  const dir = await mkdtemp(join(tmpdir(), 'syncline-chaos-'))
  // When we are root, PostgreSQL is another user, who must get through.
  await chmod(dir, 0o711)
  const undo: Array<() => Promise<unknown>> = [() => rm(dir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step().catch(() => undefined)
  }
  try {
    const port = await freePort('127.0.0.1')
    const launch = async (): Promise<NatsServer> => {
      const started = await startNatsServer({ host: '127.0.0.1', port, storeDir: join(dir, 'nats'), readyTimeoutMs: readyWithinMs })()
      if (E.isLeft(started)) throw new Error(started.left.message)
      return started.right
    }
    const nats = await revivable(launch)
    undo.push(() => nats.kill())
    const natsUrl = nats.now().url
    const connected = await connect({ servers: [natsUrl], name: 'chaos', reconnectWaitMs: 100 })()
    if (E.isLeft(connected)) throw new Error(JSON.stringify(connected.left))
    const bus = connected.right
    undo.push(() => bus.close())
    const pgPort = await freePort('127.0.0.1')
    const launchPostgres = async (): Promise<Postgres> => {
      // Not durable against a power cut; but what a client was told must outlive the server's own death.
      const settings = { shared_buffers: '32MB', synchronous_commit: 'on', full_page_writes: 'on' }
      const started = await startPostgres({ dataDir: join(dir, 'pg'), port: pgPort, database: 'a', durable: false, settings, readyTimeoutMs: readyWithinMs })()
      if (E.isLeft(started)) throw new Error(started.left.message)
      return started.right
    }
    const postgres = await revivable(launchPostgres)
    undo.push(() => postgres.kill())
    const leaseTtlMs = wantedLeaseMs ?? Math.min(longestLeaseMs, Math.max(shortestLeaseMs, 1_000 * Math.ceil((monotonic() - from) / 1_000)))
    const consumers = consumerDefs.map((def) => (def.stream === streams.work ? { ...def, ackWaitMs: leaseTtlMs + ackAfterLeaseMs } : def))
    const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers }, { replicas: 1 })()
    if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
    const tape = await startTape(bus, record)
    undo.push(() => tape.stop())

    const pgUrl = postgres.now().url
    const urlOf = (name: string, through?: number): string => {
      const url = new URL(pgUrl)
      url.pathname = `/${name}`
      if (through !== undefined) url.port = String(through)
      return url.href
    }
    const pgProxy = await startProxy({ host: '127.0.0.1', port: pgPort })
    undo.push(() => pgProxy.stop())
    const a = await openTables(urlOf('a'))
    undo.push(() => a.close())
    await a.createDatabase('b')
    const b = await openTables(urlOf('b'))
    undo.push(() => b.close())

    const provider = await startSandbox({ record: (remote) => record(remote.value === undefined || remote.value === null ? remote : { ...remote, value: valueOf(remote.value) }) })
    undo.push(() => provider.stop())
    const sandboxProxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(provider.url).port) })
    undo.push(() => sandboxProxy.stop())

    const env = { WORKER_LEASE_TTL_MS: String(leaseTtlMs), TRACKER_HTTP_PORT: '0', SYNCLINE_SHUTDOWN_MS: '5000', CHAOS_PG_A: urlOf('a', pgProxy.port), CHAOS_PG_B: urlOf('b', pgProxy.port) }
    const workers: Array<WorkerHouse> = []
    const lines: Array<Omit<WorkerHouse, 'child'>> = []
    const services = new Map<string, Child>()
    const startWorker = async (worker: Omit<WorkerHouse, 'child'>): Promise<Child> =>
      startChild({
        name: worker.name, script: workerMain, record, readyWithinMs,
        env: { ...env, NATS_URL: `nats://127.0.0.1:${worker.nats.port}`, WORKER_NAME: worker.name, CHAOS_CLOCK: worker.clockFile, CHAOS_NOTES: `${notesBase}.${worker.name}` },
      })
    const startService = async (name: ServiceName): Promise<void> => {
      services.set(name, await startChild({ name, script: `services/${name}/main.ts`, record, readyWithinMs, env: { ...env, NATS_URL: natsUrl } }))
    }
    undo.push(() => Promise.all([...workers.map(({ child }) => child.kill()), ...[...services.values()].map((child) => child.kill())]))
    for (let n = 1; n <= count; n++) {
      const line = await startProxy({ host: '127.0.0.1', port })
      undo.push(() => line.stop())
      const clockFile = join(dir, `w${n}.clock`)
      await writeFile(clockFile, '0')
      lines.push({ name: `w${n}`, nats: line, clockFile })
    }
    const started = await Promise.allSettled([
      ...serviceNames.map(startService),
      ...lines.map(async (one) => void workers.push({ ...one, child: await startWorker(one) })),
    ])
    for (const one of started) if (one.status === 'rejected') throw one.reason
    workers.sort((x, y) => (x.name < y.name ? -1 : 1))

    return {
      dir, leaseTtlMs, bus, provider, workers, services, startService, stop,
      canaries: [new URL(pgUrl).password],
      proxies: { postgres: pgProxy, sandbox: sandboxProxy },
      sandboxUrl: `http://127.0.0.1:${sandboxProxy.port}`,
      tables: { a, b },
      startWorker: async (worker) => { worker.child = await startWorker(worker) },
      nats, postgres,
      notes: workers.map(({ name }) => `${notesBase}.${name}`),
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

const revivable = async <A extends { readonly kill: () => Promise<void> }>(launch: () => Promise<A>): Promise<Revivable & { readonly now: () => A }> => {
  let running = await launch()
  let isUp = true
  return {
    now: () => running,
    isUp: () => isUp,
    kill: async () => {
      isUp = false
      await running.kill()
    },
    start: async () => {
      // The port of the one that was killed may be held for a moment.
      for (let tries = 1; ; tries++) {
        try {
          running = await launch()
          isUp = true
          return
        } catch (cause) {
          if (tries === 20) throw cause
          await sleep(250)
        }
      }
    },
  }
}
