/**
 * Several connections between several places, on memory or on folders of cards, played one after the other by one worker's
 * engine. `x: a > b` is a one-way connection, `x: a = b` a two-way one, as in the tests of the configuration.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import type { Side, Wrote } from '#libs/connectors/connector.ts'
import { meetingWays } from '#libs/config/meeting-ways.ts'
import type { ParkedRecord } from '#libs/contracts/dead-letter.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E, TE } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { leaseTimesOf } from '../../services/sync-worker/lease.ts'
import { leaseMemory } from '../../services/sync-worker/lease-memory.ts'
import type { Ports } from '../../services/sync-worker/ports.ts'
import { stopSwitch } from '../../services/sync-worker/stop-switch.ts'
import { syncConnection } from '../../services/sync-worker/sync.ts'
import { engineRig } from './engine-rig.ts'
import { memoryProvenance, type MemoryProvenance } from './memory-provenance.ts'

export type WaysOptions = {
  /** A folder of the test's own; memory when absent. */
  readonly folder?: string
  /** Mutant: nothing is known of where items came from. */
  readonly forgetful?: boolean
  readonly transactional?: boolean
}

export type WaysRig = {
  readonly sync: (conn: string, item?: Partial<WorkItem>) => Promise<RunResult>
  readonly put: (place: string, key: string, name?: string) => Promise<void>
  readonly remove: (place: string, key: string) => Promise<void>
  /** key=name, sorted. */
  readonly shown: (place: string) => Promise<ReadonlyArray<string>>
  /** Items written or deleted since the last call. */
  readonly newWrites: () => number
  readonly parked: ReadonlyArray<ParkedRecord>
  readonly registry: MemoryProvenance
  /** The connection is deleted. */
  readonly drop: (conn: string) => void
}

export const waysRig = async (arrows: ReadonlyArray<string>, { folder, forgetful = false, transactional = false }: WaysOptions = {}): Promise<WaysRig> => {
  const parsed = arrows.map((arrow) => /^(\w+): (\w+) ([>=]) (\w+)$/.exec(arrow)?.slice(1) ?? [])
  const places = [...new Set(parsed.flatMap(([, from = '', , to = '']) => [from, to]))]
  const stores = new Map(places.map((place) => [place, { store: memoryStore(place), options: { transactional } }]))
  if (folder !== undefined) for (const place of places) await mkdir(join(folder, place), { recursive: true })
  const sideOf = (place: string) => (folder === undefined ? { provider: 'memory', store: place } : { provider: 'file', path: join(folder, place) })
  const connections = new Map(parsed.map(([id = '', from = '', by, to = '']) => {
    const decoded = Connection.decode({ id, schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: by === '>' ? 'one-way' : 'two-way', kind: 'contact', source: sideOf(from), destination: sideOf(to) }] })
    if (E.isLeft(decoded)) throw new Error(`${id} is no connection`)
    return [id, decoded.right]
  }))

  const ways = meetingWays()
  for (const connection of connections.values()) ways.put(connection)
  const registry = memoryProvenance(({ conn, flow }) => ways.knows(conn, flow))
  const connector = folder === undefined ? memoryConnector(stores) : fileConnector
  const parked: Array<ParkedRecord> = []
  let writes = 0
  const counting = (side: Side): Side => {
    const count = (wrote: ReadonlyArray<Wrote>): ReadonlyArray<Wrote> => {
      writes += wrote.filter(({ is }) => is === 'done').length
      return wrote
    }
    const { ledger } = side
    return {
      ...side,
      write: (all, signal) => TE.map(count)(side.write(all, signal)),
      ...(ledger === undefined ? {} : { ledger: { ...ledger, commit: (commit, signal) => TE.map(count)(ledger.commit(commit, signal)) } }),
    }
  }
  const ports: Ports = {
    ...engineRig().ports,
    connection: (conn) => TE.right(connections.get(conn) ?? null),
    provenanceFor: ({ conn, flow }) => (!forgetful && ways.mayMeet(conn, flow) ? registry : undefined),
    openSide: ({ id }, flow, name, signal) => {
      const { provider: _, ...options } = name === 'source' ? flow.source : flow.destination
      return TE.map(counting)(connector.open({ options, kind: flow.kind, role: name, connection: id, flow: flow.id, secret: () => undefined, signal }))
    },
    sayParked: (record) => TE.fromIO(() => void parked.push(record)),
  }
  const play = syncConnection(ports, leaseTimesOf(30_000), leaseMemory())
  const fileOf = (place: string, key: string): string => join(folder ?? '', place, `${key}.vcf`)

  return {
    parked, registry,
    sync: async (conn, item = {}) => {
      const work: WorkItem = { conn: conn as WorkItem['conn'], run: systemRandom.ulid(ports.clock.now()) as WorkItem['run'], trigger: systemRandom.token(), cause: 'manual', lane: 'hot', revision: 1, askedAt: 0, ...item }
      const stop = stopSwitch()
      const end = await play({ item: work, attempt: 1, trace: undefined, stillWorking: async () => undefined, stop })
      stop.dispose()
      await end.hold?.release([])
      return end.result
    },
    put: async (place, key, name = key) => {
      if (folder === undefined) stores.get(place)?.store.put({ key, fields: { FN: name } })
      else await writeFile(await found(join(folder, place), key) ?? fileOf(place, key), `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${key}\r\nFN:${name}\r\nEND:VCARD\r\n`)
    },
    remove: async (place, key) => {
      if (folder === undefined) stores.get(place)?.store.removeKey(key)
      else await rm(await found(join(folder, place), key) ?? fileOf(place, key))
    },
    shown: async (place) => {
      if (folder === undefined) return (stores.get(place)?.store.all() ?? []).map(({ key, fields }) => `${key}=${JSON.stringify(fields['FN'])}`.replaceAll('"', '')).sort()
      const names = (await readdir(join(folder, place))).filter((name) => name.endsWith('.vcf'))
      return (await Promise.all(names.map(async (name) => {
        const text = await readFile(join(folder, place, name), 'utf8')
        return `${/UID:(.*)\r?/.exec(text)?.[1]?.trim() ?? ''}=${/FN:(.*)\r?/.exec(text)?.[1]?.trim() ?? ''}`
      }))).sort()
    },
    newWrites: () => {
      const fresh = writes
      writes = 0
      return fresh
    },
    drop: (conn) => {
      connections.delete(conn)
      ways.remove(conn)
    },
  }
}

/** The file with this card: copies may have another name than the first one. */
const found = async (folder: string, key: string): Promise<string | undefined> => {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.vcf') && (await readFile(join(folder, name), 'utf8')).includes(`UID:${key}\r\n`)) return join(folder, name)
  }
  return undefined
}
