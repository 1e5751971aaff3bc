/**
 * A small rig for one drive at a time: whole engines on a real nats-server and the real sandbox provider, in one process, with
 * every step under the driver's hand, so that the right thing goes wrong at the right moment. Writes the history that the
 * checker judges.
 */
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { decode } from '#libs/contracts/decode.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, stateKeys, streams } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import type { Mutant } from '../properties/world.ts'
import { connectTo, startTestServer } from '../support/nats-server.ts'
import { until } from '../support/processes.ts'
import { monotonic, type HistoryRecord, type SideName } from './history.ts'
import { workerOn, type Played } from './mutants-worker.ts'
import type { Collection } from './sandbox/collection.ts'
import { startSandbox, type Arrived, type Sandbox } from './sandbox/provider.ts'
import { idOf } from './sandbox/write.ts'
import { everything, startTape } from './state-tape.ts'

export type StageOptions = {
  /** The safety that is missing; absent: the engine as it is. */
  readonly mutant?: Mutant | undefined
  readonly flow?: Readonly<Record<string, unknown>>
  /** Options of the sandbox connector beside address and collection. */
  readonly A?: Readonly<Record<string, unknown>>
  readonly B?: Readonly<Record<string, unknown>>
}

export type Gate = { readonly reached: Promise<void>; readonly open: () => void }

export type Stage = {
  readonly sandbox: Sandbox
  readonly side: (side: SideName) => Collection
  /** Of the collection, as faults name it. */
  readonly name: (side: SideName) => string
  /** A client's edit, past everything; null deletes. */
  readonly edit: (side: SideName, key: string, value: string | null) => void
  /** A worker of the build under test, with its own memory and its own line to the server. */
  readonly worker: (name: string) => Promise<Played>
  /** The first request of the engine like this waits in front of the provider until the gate is opened. */
  readonly gate: (holds: (request: Arrived) => boolean) => Gate
  /** As its time to live would, but now: nobody holds the lease any more, and its revision has moved. */
  readonly lapse: () => Promise<void>
  /** All is well again: runs until nothing moves, then two quiet ones, then everything is written down. Answers the history. */
  readonly settle: () => Promise<ReadonlyArray<HistoryRecord>>
  readonly close: () => Promise<void>
}

export type Bench = { readonly stage: (options: StageOptions) => Promise<Stage>; readonly stop: () => Promise<void> }

/** Where the drives' values stand in an item. */
const valueField = 'note'
/** More than any drive leaves to do. */
const mostRounds = 12

const valueIn = (fields: Readonly<Record<string, unknown>>): string | null => {
  const value = fields[valueField]
  return typeof value === 'string' ? value : null
}

export const openBench = async (): Promise<Bench> => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  const lines: Array<Bus> = [bus]
  const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
  const heard = new Set<number>()
  let listener: (record: HistoryRecord) => void = () => undefined
  const tape = await startTape(bus, (record) => {
    if (record.is === 'publish') heard.add(record.seq)
    listener(record)
  })
  const lastSeq = async (): Promise<number> => (await bus.jsm.streams.info(`KV_${buckets.state}`)).state.last_seq
  let staged = 0
  return {
    stage: (options) => {
      const conn = `m${(staged += 1)}` as ConnectionId
      const history: Array<HistoryRecord> = []
      listener = (record) => {
        if (!('conn' in record) || record.conn === conn) history.push(record)
      }
      const line = async (): Promise<Bus> => {
        const own = await connectTo(server)
        lines.push(own)
        return own
      }
      return stageOf(options, { conn, bus, line, history, taped: () => until('every state message is heard', async () => heard.has(await lastSeq()), 200_000) })
    },
    stop: async () => {
      await tape.stop()
      for (const one of lines) await one.close()
      await server.stop()
    },
  }
}

type Backstage = { readonly conn: ConnectionId; readonly bus: Bus; readonly line: () => Promise<Bus>; readonly history: Array<HistoryRecord>; readonly taped: () => Promise<void> }

const stageOf = async ({ mutant, flow = {}, A = {}, B = {} }: StageOptions, { conn, bus, line, history, taped }: Backstage): Promise<Stage> => {
  const record = (one: HistoryRecord): void => void history.push(one)
  const gates: Array<{ readonly holds: (request: Arrived) => boolean; readonly reached: () => void; readonly opened: Promise<void> }> = []
  const sandbox = await startSandbox({
    record, valueFields: [valueField],
    before: async (request) => {
      const place = gates.findIndex(({ holds }) => holds(request))
      const [gate] = place === -1 ? [] : gates.splice(place, 1)
      gate?.reached()
      await gate?.opened
    },
  })
  const collectionOf = (name: SideName): string => `${conn}-${name}`
  const side = (name: SideName): Collection => sandbox.collection(collectionOf(name))
  const system = { kind: 'sandbox', strong: true, transactional: false } as const
  record({ is: 'begin', at: monotonic(), wallAt: Date.now(), seed: 0, minutes: 0, leaseTtlMs: 30_000, workers: [] })
  record({ is: 'connection', at: monotonic(), conn, flow: 'main', direction: 'two-way', strategy: 'source-wins', A: system, B: system })
  const sideOptions = (name: SideName, more: Readonly<Record<string, unknown>>) => ({ provider: 'sandbox', url: sandbox.url, collection: collectionOf(name), ...more })

  const worker = async (name: string): Promise<Played> =>
    workerOn({ name, conn, bus: await line(), mutant, record, flow: { ...flow, source: sideOptions('A', A), destination: sideOptions('B', B) } })

  const writes = (): number => sandbox.remotes.filter(({ verb }) => ['CREATE', 'UPDATE', 'DELETE'].includes(verb)).length
  const lapse = async (): Promise<void> => {
    const gone = await openBucket(bus)(buckets.state).delete(stateKeys.lease(conn))()
    if (E.isLeft(gone)) throw new Error(JSON.stringify(gone.left))
  }
  /** Whether it wrote, or could not: the lease of a run whose end nobody heard of is not waited for. */
  const moves = async ({ play }: Played): Promise<boolean> => {
    const before = writes()
    const { result } = await play()
    if (result.outcome === 'succeeded') return writes() > before
    await lapse()
    return true
  }
  return {
    sandbox, side, worker, name: collectionOf,
    edit: (name, key, value) => {
      const collection = side(name)
      const there = collection.all().find((item) => item.key === key)
      const at = monotonic()
      if (value !== null) collection.put(there?.id ?? idOf(key), key, { FN: key, [valueField]: value }, {})
      else if (there !== undefined) collection.remove(there.id, {})
      record({
        is: 'op', at, to: monotonic(), conn, side: name, key, kind: value === null ? 'delete' : there === undefined ? 'create' : 'update',
        value, before: there === undefined ? null : valueIn(there.fields), result: 'ok',
      })
    },
    gate: (holds) => {
      const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      gates.push({ holds, reached: reached.resolve, opened: opened.promise })
      return { reached: reached.promise, open: opened.resolve }
    },
    lapse,
    settle: async () => {
      sandbox.faults.set([])
      for (const name of ['A', 'B'] as const) side(name).settings = { ...side(name).settings, lateMs: 0 }
      record({ is: 'phase', at: monotonic(), phase: 'heal' })
      const healer = await worker('healer')
      for (let round = 0, moved = true; moved && round < mostRounds; round++) {
        moved = await moves(healer)
        if (!moved) record({ is: 'phase', at: monotonic(), phase: 'converged' })
      }
      for (const round of [1, 2]) {
        record({ is: 'phase', at: monotonic(), phase: 'silence', round })
        await moves(healer)
      }
      record({ is: 'phase', at: monotonic(), phase: 'end' })
      await taped()
      for (const { subject, seq, storedAt, body } of await everything(bus, streams.archive)) {
        const version = decode(ArchivedVersion, body)
        if (E.isRight(version) && version.right.conn === conn) {
          const { flow: of, fields } = version.right
          record({ is: 'archived', at: monotonic(), storedAt, seq, conn, flow: of, linkKey: subject.split('.')[4] ?? '', value: valueIn(fields), raw: version.right })
        }
      }
      for (const name of ['A', 'B'] as const) {
        const items = side(name).all()
        for (const { id, key, fields } of items) record({ is: 'final', at: monotonic(), conn, side: name, key, remoteId: id, value: valueIn(fields) })
        record({ is: 'final-done', at: monotonic(), conn, side: name, items: items.length })
      }
      return history
    },
    close: () => sandbox.stop(),
  }
}
