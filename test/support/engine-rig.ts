/**
 * One worker's engine over two memory sides and a state store in memory: runs are played one after the other, everything
 * it says is kept for looking at. No server, no timers of its own.
 */
import { memorySide } from '#libs/connectors/memory/memory.ts'
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import type { Side } from '#libs/connectors/connector.ts'
import type { ArchivedVersion, CreatedItems } from '#libs/contracts/archive.ts'
import type { AuditRecord } from '#libs/contracts/audit.ts'
import type { ConflictQuestion } from '#libs/contracts/conflict.ts'
import type { ParkedRecord } from '#libs/contracts/dead-letter.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { RunId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import type { Log } from '#libs/telemetry/log.ts'
import { resolve } from '../../services/conflict-resolver/resolve.ts'
import { leaseTimesOf } from '../../services/sync-worker/lease.ts'
import { leaseMemory } from '../../services/sync-worker/lease-memory.ts'
import type { ArchivedByRun, Ports } from '../../services/sync-worker/ports.ts'
import { stopSwitch } from '../../services/sync-worker/stop-switch.ts'
import { syncConnection, type RunEnd } from '../../services/sync-worker/sync.ts'
import { memoryState, type MemoryState } from './memory-state.ts'

export type EngineOptions = {
  readonly direction?: 'one-way' | 'two-way'
  readonly connection?: Record<string, unknown>
  readonly flow?: Record<string, unknown>
  readonly a?: MemoryOptions
  readonly b?: MemoryOptions
  readonly wrap?: (name: 'source' | 'destination', side: Side) => Side
}

export type EngineRig = {
  readonly a: MemoryStore
  readonly b: MemoryStore
  readonly state: MemoryState
  readonly ports: Ports
  readonly archived: Array<ArchivedVersion>
  readonly created: Array<CreatedItems>
  readonly audit: Array<AuditRecord>
  readonly parked: Array<ParkedRecord>
  readonly questions: Array<ConflictQuestion>
  readonly resolver: { up: boolean }
  readonly options: { a: MemoryOptions; b: MemoryOptions; connection: Record<string, unknown>; flow: Record<string, unknown> }
  readonly play: (item?: Partial<WorkItem>, more?: { readonly attempt?: number; readonly ports?: Ports; readonly keep?: boolean }) => Promise<RunEnd>
  /** Plays and answers the result, giving the lease back. */
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunResult>
  /** Writes that changed something since the last call. */
  readonly newWrites: () => { readonly a: number; readonly b: number }
}

const silence: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silence }

export const engineRig = (options: EngineOptions = {}): EngineRig => {
  const a = memoryStore('a')
  const b = memoryStore('b')
  const state = memoryState()
  const archived: Array<ArchivedVersion> = []
  const created: Array<CreatedItems> = []
  /** Both kinds in the order they were said. */
  const said: Array<ArchivedByRun> = []
  const audit: Array<AuditRecord> = []
  const parked: Array<ParkedRecord> = []
  const questions: Array<ConflictQuestion> = []
  const resolver = { up: true }
  const live = { a: options.a ?? {}, b: options.b ?? {}, connection: options.connection ?? {}, flow: options.flow ?? {} }
  let clock = 1_700_000_000_000

  const connectionOf = (): Connection => {
    const decoded = Connection.decode({
      id: 'c1',
      schedule: { kind: 'manual' },
      flows: [{ id: 'main', direction: options.direction ?? 'two-way', kind: 'contact', source: { provider: 'memory', store: 'a' }, destination: { provider: 'memory', store: 'b' }, ...live.flow }],
      ...live.connection,
    })
    if (E.isLeft(decoded)) throw new Error('the rig made a connection that does not decode')
    return decoded.right
  }

  const ports: Ports = {
    clock: {
      now: () => (clock += 1),
      monotonic: () => clock,
      // Renewals never come due in a rig: a run is shorter than a third of a lease.
      sleep: (_ms, signal) => new Promise((done) => (signal === undefined ? setImmediate(done) : signal.addEventListener('abort', () => done(), { once: true }))),
    },
    random: systemRandom,
    log: silence,
    tracer: quietTracer(systemRandom),
    worker: 'rig',
    state,
    connection: () => async () => E.right(connectionOf()),
    highestFence: () => TE.right(0),
    provenanceFor: () => undefined,
    openSide: (_connection, _flow, name) => async () => {
      const side = name === 'source' ? memorySide(a, live.a) : memorySide(b, live.b)
      return E.right(options.wrap?.(name, side) ?? side)
    },
    askResolver: (question) => async () => {
      questions.push(question)
      if (!resolver.up) return E.left({ is: 'unavailable', message: 'nobody answers' })
      const answer = resolve(question)
      return E.isLeft(answer) ? E.left({ is: 'needs-person', message: answer.left.message, mend: '' }) : answer
    },
    sayResult: () => TE.right(undefined),
    sayDead: () => TE.right(undefined),
    sayParked: (record) => async () => E.right(void parked.push(record)),
    sayArchived: (replaced) => async () => {
      for (const { version } of replaced) {
        archived.push(version)
        said.push({ is: 'version', version })
      }
      return E.right(undefined)
    },
    sayCreated: (items) => async () => {
      created.push(items)
      return E.right(void said.push({ is: 'created', created: items }))
    },
    sayAudit: (record) => async () => E.right(void audit.push(record)),
    archivedBy: (_conn, run) => async () => E.right(said.filter((one) => (one.is === 'version' ? one.version : one.created).run === run)),
    readArchived: (seq) => async () => E.right(archived[seq - 1] ?? null),
    sayRequest: () => TE.right(undefined),
    sayProgress: () => undefined,
    count: () => undefined,
  }

  const memory = leaseMemory()
  const play: EngineRig['play'] = async (item = {}, more = {}) => {
    const connection = connectionOf()
    const run = systemRandom.ulid(clock)
    if (!RunId.is(run)) throw new Error('not a run id')
    const work: WorkItem = { conn: connection.id, run, trigger: systemRandom.token(), cause: 'manual', lane: 'hot', revision: 1, askedAt: clock, ...item }
    const stop = stopSwitch()
    const end = await syncConnection(more.ports ?? ports, leaseTimesOf(30_000), memory)({ item: work, attempt: more.attempt ?? 1, trace: undefined, stillWorking: async () => undefined, stop })
    stop.dispose()
    if (more.keep !== true) await end.hold?.release([])
    return end
  }

  let seenA = 0
  let seenB = 0
  return {
    a, b, state, ports, archived, created, audit, parked, questions, resolver, options: live, play,
    sync: async (item) => (await play(item)).result,
    newWrites: () => {
      const fresh = { a: a.writes.slice(seenA).filter(({ applied }) => applied).length, b: b.writes.slice(seenB).filter(({ applied }) => applied).length }
      seenA = a.writes.length
      seenB = b.writes.length
      return fresh
    },
  }
}
