/**
 * Services as processes on one real nats-server, with leases and redelivery of a tenth of their usual length: for stories in
 * which a process is stopped, killed or told to end.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer, type TestServer } from './nats-server.ts'
import { startProcess, until, type ServiceProcess } from './processes.ts'

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
  /** Folder `<id>/<side>` with so many cards. */
  readonly cards: (id: string, side: string, count: number) => Promise<string>
  readonly result: (what: string, test: (result: RunResult) => boolean, withinMs?: number) => Promise<RunResult>
  /** Who holds the lease of a connection, if somebody does. */
  readonly owner: (id: string) => Promise<string | undefined>
  /** Sequence of the last message of a stream. */
  readonly lastSeq: (stream: string) => Promise<number>
  readonly queued: () => Promise<number>
  readonly stop: () => Promise<void>
}

export const startProcessHouse = async (): Promise<ProcessHouse> => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  const consumers = consumerDefs.map((def) => (def.stream === streams.work ? { ...def, ackWaitMs } : def))
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

  return {
    server, bus, dir, results,
    start: async (service, env = {}) => {
      const started = await startProcess(service, { NATS_URL: server.url, WORKER_LEASE_TTL_MS: String(leaseTtlMs), TRACKER_HTTP_PORT: '0', ...env })
      processes.push(started)
      return started
    },
    apply: async (id, more) => {
      const connection = Connection.decode({ id, schedule: { kind: 'interval', everyMs: 3_600_000 }, ...more })
      if (E.isLeft(connection)) throw new Error('not a connection')
      const put = await openBucket(bus)(buckets.connections).put(id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
      if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
    },
    cards: async (id, side, count) => {
      const folder = join(dir, id, side)
      await mkdir(folder, { recursive: true })
      for (let n = 0; n < count; n++) await writeFile(join(folder, `${id}-${n}.vcf`), `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${id}-${n}\r\nFN:Person ${n}\r\nEND:VCARD\r\n`)
      return folder
    },
    result: async (what, test, withinMs = 20_000) => {
      await until(what, () => results.some(test), withinMs)
      return results.find(test) as RunResult
    },
    owner: async (id) => {
      const found = await openBucket(bus)(buckets.state).get(stateKeys.lease(id as Connection['id']))()
      if (E.isLeft(found) || found.right === undefined || found.right.value === null) return undefined
      const entry = decode(LeaseEntry, found.right.value)
      return E.isRight(entry) && !entry.right.free ? entry.right.owner : undefined
    },
    lastSeq: async (stream) => (await bus.jsm.streams.info(stream)).state.last_seq,
    queued: async () => (await bus.jsm.streams.info(streams.work)).state.messages,
    stop: async () => {
      for (const { child } of processes) child.kill('SIGCONT')
      await Promise.all(processes.map((one) => one.kill('SIGKILL')))
      await bus.close()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
