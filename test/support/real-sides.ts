/**
 * One worker's engine between two sides of one kind (grounds/), real ones above all. Does not know what is to be expected.
 */
import type { Side } from '#libs/connectors/connector.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import type { Between } from './between.ts'
import { engineRig, type EngineRig } from './engine-rig.ts'
import { foldersOfCards, foldersOfEvents } from './grounds/folders.ts'
import type { Ground, Place } from './grounds/ground.ts'
import { memory } from './grounds/memory.ts'
import { provider } from './grounds/provider.ts'
import { filesOfCsv, filesOfJsonLines } from './grounds/records.ts'
import { tables } from './grounds/tables.ts'

export type { Entry } from './grounds/ground.ts'

const grounds = {
  memory: memory(true),
  'memory, listed': memory(false),
  'folders of cards': foldersOfCards,
  'folders of events': foldersOfEvents,
  'files of JSON lines': filesOfJsonLines,
  'files of CSV': filesOfCsv,
  tables: tables(false),
  'tables that tell what changed': tables(true),
  'collections of a provider on HTTP': provider,
}
export type Pair = keyof typeof grounds
export const allPairs = Object.keys(grounds) as ReadonlyArray<Pair>
export const realPairs = allPairs.filter((pair) => !pair.startsWith('memory'))

export type RealRig = Pick<EngineRig, 'archived' | 'parked' | 'resolver'> & {
  readonly ground: Ground
  readonly a: Place
  readonly b: Place
  readonly options: {
    connection: Record<string, unknown>
    flow: Record<string, unknown>
    /** Beside what the ground says of a side. */
    sides: { readonly a?: Record<string, unknown>; readonly b?: Record<string, unknown> }
    /** By name, beside the ground's own. */
    secrets: Readonly<Record<string, string>>
    between: Between | undefined
  }
  readonly play: (item?: Partial<WorkItem>) => Promise<RunEnd>
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunResult>
  /** Syncs and tells whether either side was written to. */
  readonly writesNothing: () => Promise<boolean>
  /** Of both sides, as they are stored. */
  readonly cursors: () => Promise<readonly [string | null, string | null]>
  /** The worker's clock goes on by so much. */
  readonly later: (ms: number) => void
  readonly stop: () => Promise<void>
}

export const realRig = async (pair: Pair, connection: Record<string, unknown> = {}): Promise<RealRig> => {
  const ground = await grounds[pair]()
  const { connector, kind, places: [a, b], fields } = ground
  const rig = engineRig()
  const options: RealRig['options'] = { connection, flow: {}, sides: {}, secrets: {}, between: undefined }
  let ahead = 0
  const connectionOf = (): Connection => {
    const side = (name: 'a' | 'b') => ({ ...ground.side(name), ...options.sides[name] })
    const flow = { id: 'main', direction: 'two-way', kind, source: side('a'), destination: side('b'), ...(fields === undefined ? {} : { fields }), ...options.flow }
    const decoded = Connection.decode({ id: 'c1', schedule: { kind: 'manual' }, flows: [flow], ...options.connection })
    if (E.isLeft(decoded)) throw new Error(`no connection between ${pair}`)
    return decoded.right
  }
  const ports: EngineRig['ports'] = {
    ...rig.ports,
    clock: { ...rig.ports.clock, now: () => rig.ports.clock.now() + ahead },
    connection: () => TE.fromIO(connectionOf),
    openSide: ({ id }, flow, name, signal) => {
      const { provider: _, ...where } = name === 'source' ? flow.source : flow.destination
      const opened = connector.open({ options: where, kind: flow.kind, role: name, connection: id, flow: flow.id, secret: (reference) => options.secrets[reference] ?? ground.url, signal })
      return TE.map((one: Side) => options.between?.(name, one) ?? one)(opened)
    },
  }
  const play: RealRig['play'] = (item = {}) => rig.play(item, { ports })
  const sync: RealRig['sync'] = async (item) => (await play(item)).result
  const marks = async (): Promise<string> => JSON.stringify([await a.marks(), await b.marks()])
  return {
    ground, a, b, options, play, sync, archived: rig.archived, parked: rig.parked, resolver: rig.resolver,
    later: (ms) => { ahead += ms },
    cursors: async () => {
      const beside = await ground.checkpoint?.()
      const stored = beside ?? (rig.state.peek(stateKeys.checkpoint('c1' as ConnectionId, 'main' as FlowId)) as typeof beside)
      return [stored?.cursorA ?? null, stored?.cursorB ?? null]
    },
    writesNothing: async () => {
      const before = await marks()
      await sync()
      return (await marks()) === before
    },
    stop: ground.stop,
  }
}
