/**
 * Services as processes on one real nats-server, with leases and redelivery of a tenth of their usual length: for stories in
 * which a process is stopped, killed or told to end.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { LeaseEntry } from '#libs/contracts/state.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, stateKeys, streams, subjects } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer, type TestServer } from './nats-server.ts'
import { patienceMs, startProcess, until, type ServiceProcess } from './processes.ts'
import { onceInACentury } from './schedules.ts'

export const leaseTtlMs = 3_000
/** A second more than the lease: the server removes one that expired up to 0.3 s late (NATS.md §2.1), and the machine is busy. */
const ackWaitMs = 4_000

export type ProcessHouse = {
  readonly server: TestServer
  readonly bus: Bus
  readonly dir: string
  readonly results: ReadonlyArray<RunResult>
  readonly start: (service: string, env?: Readonly<Record<string, string>>) => Promise<ServiceProcess>
  readonly apply: (id: string, connection: Readonly<Record<string, unknown>>) => Promise<void>
  /** Two folders kept in step both ways. */
  readonly applyFolders: (id: string, source: string, destination: string) => Promise<void>
  /** As `nats pub sync.request.<conn> ''` would. */
  readonly request: (id: string) => Promise<void>
  /** Folder `<id>/<side>` with so many cards. */
  readonly cards: (id: string, side: string, count: number) => Promise<string>
  /** A copy of cards in the middle of its first run: some are there, more than half are not. */
  readonly copying: (name: string) => Promise<Copying>
  readonly result: (what: string, test: (result: RunResult) => boolean, withinMs?: number) => Promise<RunResult>
  /** Who holds the lease of a connection, if somebody does. */
  readonly owner: (id: string) => Promise<string | undefined>
  /** Sequence of the last message of a stream. */
  readonly lastSeq: (stream: string) => Promise<number>
  readonly queued: () => Promise<number>
  /**
   * How often a worker that lived lost its lease, or met one that the server had not removed in time: never, unless this
   * machine stood still for seconds. Then work is redelivered, or put off, more often than a story tells.
   */
  readonly stumbles: () => number
  readonly stop: () => Promise<void>
}

export type Copying = {
  readonly id: string
  readonly cards: number
  readonly folder: string
  /** Who plays it. */
  readonly owner: string
  readonly written: () => Promise<ReadonlyArray<string>>
}

export const startProcessHouse = async (): Promise<ProcessHouse> => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  const consumers = consumerDefs.map((def) => (def.stream === streams.work || def.stream === streams.advisories ? { ...def, ackWaitMs } : def))
  const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers }, { replicas: 1 })()
  if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
  const dir = await mkdtemp(join(tmpdir(), 'syncline-house-'))
  const results: Array<RunResult> = []
  const processes: Array<ServiceProcess> = []
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) results.push(result.right)
    },
    onError: () => undefined,
  })

  const result: ProcessHouse['result'] = async (what, test, withinMs) => {
    await until(what, () => results.some(test), withinMs).catch((cause: unknown) => {
      throw new Error(`${String(cause)}\nheard: ${JSON.stringify(results.map(({ conn, outcome, error }) => [conn, outcome, error?.message]))}\n${processes.map(({ name, output }) => `--- ${name}\n${output().slice(-3_000)}`).join('\n')}`)
    })
    return results.find(test) as RunResult
  }
  const apply: ProcessHouse['apply'] = async (id, more) => {
    const connection = Connection.decode({ id, schedule: onceInACentury, ...more })
    if (E.isLeft(connection)) throw new Error('not a connection')
    const put = await openBucket(bus)(buckets.connections, { timeoutMs: patienceMs }).put(id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
    if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
  }
  const applyFolders: ProcessHouse['applyFolders'] = (id, source, destination) =>
    apply(id, { flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'file', path: source }, destination: { provider: 'file', path: destination } }] })
  const cards: ProcessHouse['cards'] = async (id, side, count) => {
    const folder = join(dir, id, side)
    await mkdir(folder, { recursive: true })
    for (let n = 0; n < count; n++) await writeFile(join(folder, `${id}-${n}.vcf`), `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${id}-${n}\r\nFN:Person ${n}\r\nEND:VCARD\r\n`)
    return folder
  }
  const owner: ProcessHouse['owner'] = async (id) => {
    const found = await openBucket(bus)(buckets.state).get(stateKeys.lease(id as Connection['id']))()
    if (E.isLeft(found) || found.right === undefined || found.right.value === null) return undefined
    const entry = decode(LeaseEntry, found.right.value)
    return E.isRight(entry) && !entry.right.free ? entry.right.owner : undefined
  }

  return {
    server, bus, dir, results, result, apply, applyFolders, cards, owner,
    start: async (service, env = {}) => {
      const started = await startProcess(service, { NATS_URL: server.url, WORKER_LEASE_TTL_MS: String(leaseTtlMs), TRACKER_HTTP_PORT: '0', ...env })
      processes.push(started)
      return started
    },
    request: async (id) => {
      const stored = await publish(bus)(subjects.request(id as Connection['id']), new Uint8Array(), { timeoutMs: patienceMs })()
      if (E.isLeft(stored)) throw new Error(JSON.stringify(stored.left))
    },
    copying: async (name) => {
      // Who looks too late, on a machine that is busy with something else, looks again at a longer copy.
      for (let count = 1_600; ; count *= 2) {
        const id = `${name}-${count}`
        const [source, folder] = [await cards(id, 'a', count), await cards(id, 'b', 0)]
        const written = async (): Promise<ReadonlyArray<string>> => (await readdir(folder)).filter((file) => file.endsWith('.vcf'))
        await applyFolders(id, source, folder)
        await until(`the first cards of ${id}`, async () => (await written()).length > 20)
        const by = await owner(id)
        if (by !== undefined && (await written()).length < count / 2) return { id, cards: count, folder, owner: by, written }
        await result(`the end of ${id}, of which too much was seen too late`, ({ conn, outcome }) => conn === id && outcome === 'succeeded')
      }
    },
    lastSeq: async (stream) => (await bus.jsm.streams.info(stream)).state.last_seq,
    queued: async () => (await bus.jsm.streams.info(streams.work)).state.messages,
    stumbles: () => processes.reduce((sum, { child, output }) => sum + (child.signalCode === 'SIGKILL' ? 0 : (output().match(/\brun\.(?:fenced|deferred)\b/g) ?? []).length), 0),
    stop: async () => {
      for (const { child } of processes) child.kill('SIGCONT')
      await Promise.all(processes.map((one) => one.kill('SIGKILL')))
      await bus.close()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
