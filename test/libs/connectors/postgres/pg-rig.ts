/** Knows a database for a test file, a schema and a flow of its own for every rig in it, and sides opened on its tables. */
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import type { RecordKind } from '#libs/domain/record.ts'
import { ok } from '../../../laws/law-rig.ts'
import { freshDatabase } from '../../../support/postgres.ts'

type Options = { readonly [option: string]: unknown }
export type OpenMore = { readonly role?: 'source' | 'destination'; readonly fields?: ReadonlyArray<string>; readonly url?: string; readonly kind?: RecordKind }
export type PgRig = {
  readonly url: string
  /** Names a table of this rig for the options. */
  readonly table: (name: string) => string
  /** Values come back as the texts PostgreSQL writes. Tables without a schema are this rig's. */
  readonly sql: (statement: string, values?: ReadonlyArray<unknown>) => Promise<ReadonlyArray<Readonly<Record<string, string | null>>>>
  /** One more connection, as other users of the database have. */
  readonly connect: () => Promise<pg.Client>
  readonly open: (options: Options, more?: OpenMore) => Promise<Side>
  readonly flow: string
  readonly dispose: () => Promise<void>
}

const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string | Buffer) => value }

/** To be called where a test file begins. */
export const pgFile = (): (() => Promise<PgRig>) => {
  let url = ''
  let rigs = 0
  let admin: pg.Client
  const connectTo = async (schema: string) => {
    const client = new pg.Client({ connectionString: url, types: asText })
    client.on('error', () => undefined)
    await client.connect()
    await client.query(`SET timezone = 'UTC'; SET search_path = ${schema}`)
    return client
  }
  beforeAll(async () => {
    url = await freshDatabase()
    admin = await connectTo('public')
  })
  afterAll(() => admin.end())

  return async () => {
    const schema = `rig_${++rigs}`
    await admin.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}`)
    const endings: Array<() => Promise<unknown>> = []
    return {
      url, flow: schema,
      table: (name) => `${schema}.${name}`,
      sql: async (statement, values = []) => (await admin.query<Record<string, string | null>>(statement, [...values])).rows,
      connect: async () => {
        const client = await connectTo(schema)
        endings.push(() => client.end())
        return client
      },
      open: async (options, { role = 'destination', fields, url: other = url, kind = 'row' } = {}) => {
        const side = await ok(postgresConnector.open({
          options: { url: { env: 'PG' }, ...options }, kind, role, connection: 'laws', flow: schema, secret: (name) => (name === 'PG' ? other : undefined),
          signal: new AbortController().signal, ...(fields === undefined ? {} : { fields }),
        }))
        endings.push(side.close)
        return side
      },
      dispose: async () => {
        for (const end of endings.reverse()) await end()
      },
    }
  }
}

/** Runs a test's body on a rig of its own. */
export const withPg = (make: () => Promise<PgRig>, body: (rig: PgRig) => Promise<void>) => async (): Promise<void> => {
  const rig = await make()
  try {
    await body(rig)
  } finally {
    await rig.dispose()
  }
}
