/** Knows the connections under test: which systems they join and how. Puts them into being at a house. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { encode } from '#libs/contracts/decode.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { monotonic, type Paired, type SideName } from './history.ts'
import type { House } from './house.ts'
import { cloudOf } from './systems/cloud.ts'
import { folderOf } from './systems/folder.ts'
import { recordsOf } from './systems/records.ts'
import type { Sides, System } from './systems/system.ts'

export type UnderTest = { readonly conn: string; readonly twoWay: boolean; readonly strategy: string; readonly kind: 'contact' | 'row'; readonly fields?: Readonly<Record<string, string>>; readonly sides: Sides }

export const flowId = 'main'
/** A sandbox's answer must come before half a lease is over (SYNC.md §C.1). */
const sandboxTimeoutMs = 1_200

export const makeConnections = async (house: House): Promise<ReadonlyArray<UnderTest>> => {
  const folder = (conn: string, side: SideName): System => folderOf(join(house.dir, 'folders', conn, side))
  const cloud = (collection: string, holds: 'cards' | 'rows'): System =>
    cloudOf(house.provider.collection(collection), { provider: 'sandbox', url: house.sandboxUrl, collection, pageSize: 25, timeoutMs: sandboxTimeoutMs }, holds)
  const table = (conn: string, side: SideName, delta = false): Promise<System> =>
    (side === 'A' ? house.tables.a : house.tables.b).table({ name: `${conn}_${side.toLowerCase()}`.replaceAll('-', '_'), urlName: `CHAOS_PG_${side}`, delta, conn, side })
  mkdirSync(join(house.dir, 'records'), { recursive: true })
  return [
    { conn: 'cards-1', twoWay: true, strategy: 'source-wins', kind: 'contact', sides: { A: folder('cards-1', 'A'), B: folder('cards-1', 'B') } },
    { conn: 'cards-2', twoWay: true, strategy: 'destination-wins', kind: 'contact', sides: { A: folder('cards-2', 'A'), B: folder('cards-2', 'B') } },
    { conn: 'lines-1', twoWay: false, strategy: 'source-wins', kind: 'row', sides: { A: recordsOf(join(house.dir, 'records', 'lines-1.jsonl')), B: await table('lines-1', 'B') } },
    { conn: 'tables-1', twoWay: true, strategy: 'source-wins', kind: 'row', sides: { A: await table('tables-1', 'A'), B: await table('tables-1', 'B') } },
    { conn: 'tables-2', twoWay: false, strategy: 'source-wins', kind: 'row', fields: { value: 'value' }, sides: { A: await table('tables-2', 'A', true), B: await table('tables-2', 'B') } },
    { conn: 'cloud-1', twoWay: true, strategy: 'source-wins', kind: 'contact', fields: { FN: 'FN', NOTE: 'value' }, sides: { A: cloud('cloud-1', 'cards'), B: folder('cloud-1', 'B') } },
    { conn: 'clouds-1', twoWay: true, strategy: 'source-wins', kind: 'row', sides: { A: cloud('clouds-1-a', 'rows'), B: cloud('clouds-1-b', 'rows') } },
    { conn: 'cloud-2', twoWay: false, strategy: 'source-wins', kind: 'row', sides: { A: cloud('cloud-2', 'rows'), B: await table('cloud-2', 'B') } },
  ]
}

export const applyConnection = async (house: House, { conn, twoWay, strategy, kind, fields, sides }: UnderTest, everyMs: number): Promise<void> => {
  const connection = Connection.decode({
    id: conn, strategy, schedule: { kind: 'interval', everyMs },
    flows: [{ id: flowId, direction: twoWay ? 'two-way' : 'one-way', kind, source: sides.A.side, destination: sides.B.side, ...(fields === undefined ? {} : { fields }) }],
  })
  if (E.isLeft(connection)) throw new Error(`${conn} is not a connection`)
  const put = await openBucket(house.bus)(buckets.connections).put(conn, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
  if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
}

/** A destination in PostgreSQL commits its rows with the ledger. */
export const pairedOf = ({ conn, twoWay, strategy, sides }: UnderTest): Paired => ({
  is: 'connection', at: monotonic(), conn, flow: flowId, direction: twoWay ? 'two-way' : 'one-way', strategy,
  A: { kind: sides.A.kind, strong: true, transactional: false },
  B: { kind: sides.B.kind, strong: true, transactional: sides.B.kind === 'postgres' },
})
