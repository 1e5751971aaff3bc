/** Knows a database of its own for a test, sides opened on its tables, and the moments a test waits for. */
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import type { RecordKind } from '#libs/domain/record.ts'
import { ok } from '../../../laws/law-rig.ts'
import { freshDatabase } from '../../../support/postgres.ts'

export type PgRig = {
  readonly url: string
  readonly sql: (statement: string, values?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Readonly<Record<string, string | null>>>>
  /** One more connection, as a user of the database has. */
  readonly connect: () => Promise<pg.Client>
  readonly open: (options: { readonly [option: string]: unknown }, more?: OpenMore) => Promise<Side>
}
type OpenMore = { readonly role?: 'source' | 'destination'; readonly fields?: ReadonlyArray<string>; readonly url?: string; readonly flow?: string; readonly kind?: RecordKind }

const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string | Buffer) => value }

export const pgRig = async (): Promise<PgRig> => {
  const url = await freshDatabase()
  const endings: Array<() => Promise<unknown>> = []
  const connect = async () => {
    const client = new pg.Client({ connectionString: url, types: asText })
    client.on('error', () => undefined)
    await client.connect()
    await client.query("SET timezone = 'UTC'")
    endings.push(() => client.end())
    return client
  }
  const admin = await connect()
  onTestFinished(async () => {
    for (const end of endings.reverse()) await end()
  })
  return {
    url, connect,
    sql: async (statement, values = []) => (await admin.query<Record<string, string | null>>(statement, [...values])).rows,
    open: async (options, { role = 'destination', fields, url: other = url, flow = 'flow', kind = 'row' } = {}) => {
      const side = await ok(postgresConnector.open({
        options: { url: { env: 'PG' }, ...options }, kind, role, connection: 'laws', flow, secret: (name) => (name === 'PG' ? other : undefined),
        signal: new AbortController().signal, ...(fields === undefined ? {} : { fields }),
      }))
      endings.push(side.close)
      return side
    },
  }
}
