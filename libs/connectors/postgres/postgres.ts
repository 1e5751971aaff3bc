/**
 * Knows the provider `postgres`: a table as source or destination. Does not know how it is read or written: read.ts,
 * write.ts and ledger.ts do.
 */
import { systemClock, type Clock } from '../../clock.ts'
import { needsPerson, type SyncFailure } from '../../domain/failure.ts'
import { E } from '../../fp.ts'
import { systemRandom, type Random } from '../../random.ts'
import type { Connector, OpenAsk, Side } from '../connector.ts'
import { addressOf, placeOf, type Address } from './address.ts'
import { decodeCursor, orderOf } from './cursor.ts'
import { clusterOf } from './cluster.ts'
import { openDatabase, type Database } from './database.ts'
import { describe } from './describe.ts'
import { findRows } from './find.ts'
import { itemOf } from './items.ts'
import { openLedger } from './ledger.ts'
import { decodeOptions, type PostgresOptions } from './options.ts'
import { mostCounted, waiting } from './page-sql.ts'
import { read } from './read.ts'
import type { Table } from './table.ts'
import { inTransaction } from './transaction.ts'
import { carryOut } from './write.ts'

/** Rows in one transaction: above it nothing is gained, below it the round trips show (measured, 1,000,000 rows). */
const batchSize = 5_000

export const postgresWith = (clock: Clock, random: Random): Connector => ({
  provider: 'postgres',
  validate: (options, kind) => {
    const decoded = decodeOptions(options, kind)
    return E.isLeft(decoded) ? decoded.left : []
  },
  account: ({ options, kind, secret }) => {
    const decoded = decodeOptions(options, kind)
    const address = E.isRight(decoded) ? resolve(decoded.right, secret) : decoded
    return E.isRight(address) ? placeOf(address.right) : undefined
  },
  open: (ask) => async () => {
    const options = decodeOptions(ask.options, ask.kind)
    if (E.isLeft(options)) return E.left(needsPerson(options.left.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '), 'correct the options of the side'))
    const address = resolve(options.right, ask.secret)
    if (E.isLeft(address)) return address
    const database = openDatabase(address.right, clock, random)
    const opened = await database.on(ask.signal, async (session) => {
      const table = await describe(session, { options: options.right, fields: ask.fields, role: ask.role, place: database.place })
      return E.isLeft(table) ? table : E.right(sideOf(database, table.right, ask, await clusterOf(session)))
    })()
    if (E.isLeft(opened)) await database.close()
    return opened
  },
})

/**
 * Options: `url` (`{ env: NAME }`, or a URL without a password), `table`, `key?` (default: the primary key), `cursor?` (a
 * column that grows with every change: timestamp or number), `cursorLag?`, `softDelete?`, `sweep?`, `columns?`. A source
 * without `cursor`, or with `sweep`, is listed whole on every read, and only changed rows come with their content.
 */
export const postgresConnector: Connector = postgresWith(systemClock, systemRandom)

/** The URL is a secret once it is resolved: no message repeats it. */
const resolve = ({ url }: PostgresOptions, secret: OpenAsk['secret']): E.Either<SyncFailure, Address> => {
  const text = 'env' in url ? secret(url.env) : url.text
  const name = 'env' in url ? url.env : 'url'
  if (text === undefined) return E.left(needsPerson(`${name} is not set`, `set ${name} to postgres://user:password@host:5432/database`))
  const address = addressOf(text)
  return E.isRight(address) ? address : E.left(needsPerson(`${name} ${address.left}`, `set ${name} to postgres://user:password@host:5432/database`))
}

const sideOf = (database: Database, table: Table, ask: OpenAsk, cluster: string | undefined): Side => ({
  capabilities: {
    canWrite: table.isWritable, find: true, resumableListing: true, batchSize,
    delta: table.cursor !== null && !table.sweep,
    tombstones: table.cursor !== null && !table.sweep && table.softDelete !== null,
    precondition: ask.role === 'destination' ? 'transactional' : table.isWritable ? 'version' : 'none',
  },
  identity: `postgres:${database.place}/${table.title}`,
  ...(cluster === undefined ? {} : { principal: cluster }),
  read: (asked) => read(database, table, asked),
  fetch: (remoteIds, signal) => database.on(signal, async (session) =>
    E.right((await findRows(session, table, remoteIds)).map(({ row }) => ({ is: 'item', item: itemOf(table, row) })))),
  find: (keys, signal) => database.on(signal, async (session) => E.right((await findRows(session, table, keys)).map(({ key, row }) => itemOf(table, row, key)))),
  write: (writes, signal) => (writes.length === 0 ? async () => E.right([]) : inTransaction(database, signal, (session) => carryOut(database, session, table, writes))),
  backlog: (cursor, signal) => database.on(signal, async (session) => {
    const since = cursor === null ? null : (decodeCursor(cursor, orderOf(table))?.since ?? null)
    if (since === null) return E.right(Math.max(0, table.rows))
    const { rows } = await session.query(waiting(table, since))
    return E.right(Math.min(mostCounted, Number(rows[0]?.[0] ?? 0)))
  }),
  ...(ask.role === 'destination' ? { ledger: openLedger(database, table, ask.connection, ask.flow) } : {}),
  close: database.close,
})
