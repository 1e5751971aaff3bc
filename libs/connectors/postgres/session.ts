/**
 * Knows one connection to PostgreSQL: settings that make texts the same everywhere, statements with a deadline, COPY both
 * ways. Errors are thrown as `pg` throws them; database.ts turns them into failures.
 */
import { readFile } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import pg from 'pg'
import copyStreams from 'pg-copy-streams'
import type { Address } from './address.ts'
import { copyReader, type Row } from './copy-text.ts'

export type Answer = { readonly rows: ReadonlyArray<Row>; readonly count: number; readonly command: string }

export type Session = {
  readonly pid: number
  readonly query: (sql: string, values?: ReadonlyArray<string | number | Buffer | null>) => Promise<Answer>
  /** Rows of `COPY (…) TO STDOUT`: half the processor time of a plain query (measured, 1,000,000 rows). */
  readonly copyOut: (sql: string) => Promise<ReadonlyArray<Row>>
  /** The same as it came: whole lines. */
  readonly copyBytes: (sql: string) => Promise<Buffer>
  /** `COPY … FROM STDIN` of text lines, each ended. */
  readonly copyIn: (sql: string, lines: ReadonlyArray<string> | Buffer) => Promise<void>
  readonly isAlive: () => boolean
  /** Says goodbye. */
  readonly end: () => Promise<void>
  /** Cuts the line: whatever waits on it fails at once. */
  readonly destroy: () => void
}

const connectTimeoutMs = 10_000
/** The server ends a statement itself; a little later we stop believing that it still answers (T64). */
export const statementTimeoutMs = 60_000
const silenceMs = statementTimeoutMs + 5_000

/**
 * Texts must not depend on the role's or the server's taste. A stopped worker must not hold locks for ever, nor a dead one
 * a connection: hence the two idle settings.
 */
const settings = [
  "SET datestyle = 'ISO, YMD'", "SET timezone = 'UTC'", "SET intervalstyle = 'postgres'", 'SET extra_float_digits = 1', "SET bytea_output = 'hex'",
  'SET standard_conforming_strings = on', "SET client_encoding = 'UTF8'", `SET statement_timeout = ${statementTimeoutMs}`, 'SET lock_timeout = 30000',
  'SET idle_in_transaction_session_timeout = 30000', 'SET tcp_keepalives_idle = 30',
].join('; ')

/** Every value stays the text that the server sent. */
const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string | Buffer) => value }

export const openSession = async (address: Address): Promise<Session> => {
  const client = new pg.Client({
    host: address.host, port: address.port, database: address.database, user: address.user,
    ...(address.password === undefined ? {} : { password: address.password }),
    ssl: address.tls === 'off' ? false : { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(address.caFile === undefined ? {} : { ca: await readFile(address.caFile, 'utf8') }) },
    application_name: 'syncline', keepAlive: true, keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs, query_timeout: silenceMs, types: asText,
  })
  let alive = true
  const dead = () => { alive = false }
  client.on('error', dead)
  client.on('end', dead)
  const socket = () => (client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream
  try {
    await client.connect()
    await client.query(settings)
  } catch (cause) {
    socket().destroy()
    throw cause
  }
  const destroy = () => {
    alive = false
    socket().destroy()
  }
  /** A COPY says something at least now and then; `pg` itself does not watch streams. */
  const watched = <A>(work: (heard: () => void) => Promise<A>): Promise<A> => {
    const timer = setTimeout(destroy, silenceMs)
    return work(() => timer.refresh()).finally(() => clearTimeout(timer))
  }

  return {
    pid: (client as unknown as { processID: number }).processID,
    query: async (text, values = []) => {
      const { rows, rowCount, command } = await client.query({ text, rowMode: 'array', ...(values.length === 0 ? {} : { values: [...values] }) })
      return { rows: rows as Array<Row>, count: rowCount ?? 0, command }
    },
    copyOut: (sql) => watched(async (heard) => {
      const rows: Array<Row> = []
      const read = copyReader()
      const stream = client.query(copyStreams.to(sql, { highWaterMark: 256 * 1024 }))
      for await (const chunk of stream) {
        heard()
        for (const row of read(chunk as Buffer)) rows.push(row)
      }
      return rows
    }),
    copyBytes: (sql) => watched(async (heard) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of client.query(copyStreams.to(sql, { highWaterMark: 256 * 1024 }))) {
        heard()
        chunks.push(chunk as Buffer)
      }
      return Buffer.concat(chunks)
    }),
    copyIn: (sql, lines) => watched(async (heard) => {
      const stream = client.query(copyStreams.from(sql))
      const end = finished(stream)
      const step = Buffer.isBuffer(lines) ? bytesAtOnce : linesAtOnce
      for (let from = 0; from < lines.length; from += step) {
        if (!stream.write(Buffer.isBuffer(lines) ? lines.subarray(from, from + step) : lines.slice(from, from + step).join(''))) heard()
      }
      stream.end()
      await end
    }),
    isAlive: () => alive,
    end: async () => {
      alive = false
      await client.end().catch(() => undefined)
    },
    destroy,
  }
}

/** A message of some 100 kB: large enough for speed, small enough not to hold the loop. */
const linesAtOnce = 1_000
const bytesAtOnce = 256 * 1024
