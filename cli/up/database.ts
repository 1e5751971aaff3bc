/**
 * Knows which PostgreSQL the quickstart writes to: its own in the folder, or the one of DATABASE_URL. Does not know what
 * is written there.
 */
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Clock } from '#libs/clock.ts'
import { startPostgres, type Postgres } from '#libs/embedded/postgres.ts'
import type { PostgresFailure } from '#libs/embedded/postgres-binaries.ts'
import { E, TE } from '#libs/fp.ts'
import type { Env } from '#libs/process/env.ts'
import { outlive } from './leftovers.ts'
import { watched, type RunningServer } from './nats.ts'
import type { Refusal } from '../refusal.ts'
import { failed } from './not-up.ts'

export type Database = RunningServer & {
  /** With user and password: for the worker's environment, not for any log. */
  readonly url: string
  /** `127.0.0.1:40211/syncline`: may be shown. */
  readonly place: string
  readonly version: string
  readonly isOwn: boolean
  readonly note?: string
}

const database = 'syncline'

/** In the folder while it runs, readable for its owner alone: a URL with a password belongs into no command line. */
export const databaseUrlFile = 'database.url'

export const databaseFor = (folder: string, env: Env, clock: Clock): TE.TaskEither<Refusal, Database> => {
  const given = env['DATABASE_URL']?.trim()
  return given === undefined || given === '' ? ownDatabase(folder, clock) : givenDatabase(given)
}

const givenDatabase = (url: string): TE.TaskEither<Refusal, Database> => async () => {
  const parsed = URL.parse(url)
  if (parsed === null) return E.left(failed('DATABASE_URL is not a URL', 'write postgres://user:password@host:5432/database, or unset it: the quickstart then starts a PostgreSQL of its own'))
  const place = `${parsed.host}${parsed.pathname}`
  const version = await versionOf(url)
  if (E.isLeft(version)) return E.left(failed(`DATABASE_URL: ${place} does not answer: ${version.left}`, 'start that server, or unset DATABASE_URL: the quickstart then starts a PostgreSQL of its own'))
  return E.right({
    url, place, version: version.right, isOwn: false,
    broke: new Promise<string>(() => undefined), // its owner's business: the engine retries
    stop: () => Promise.resolve(),
  })
}

const ownDatabase = (folder: string, clock: Clock): TE.TaskEither<Refusal, Database> => async () => {
  const here = await startIn(folder, clock)
  if (E.isRight(here)) return E.right(here.right)
  if (!('is' in here.left)) return E.left(here.left)
  if (here.left.is !== 'unreachable') return E.left(failed(here.left.message))
  // Under /root, and started by root: the account PostgreSQL runs as cannot get in there.
  const elsewhere = await elsewhereFor(`${folder}.elsewhere`)
  const there = await startIn(elsewhere, clock)
  if (E.isLeft(there)) return E.left(failed(here.left.message))
  return E.right({ ...there.right, note: `in ${elsewhere}` })
}

/** Kept in a file of the folder: whoever takes the folder away and begins anew gets a new database, too. */
const elsewhereFor = async (file: string): Promise<string> => {
  const known = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (known !== '') return known
  const made = `/var/lib/syncline/${randomUUID()}/postgres`
  await writeFile(file, `${made}\n`)
  return made
}

type NotStarted = Refusal | PostgresFailure

const notAnswering = (folder: string, why: string): Refusal => failed(`PostgreSQL started in ${folder}, but does not answer: ${why}`)

const startIn = async (folder: string, clock: Clock): Promise<E.Either<NotStarted, Database>> => {
  const gone = await outlive(clock)({ what: 'the PostgreSQL', pidFile: join(folder, 'postmaster.pid'), mark: folder, signal: 'SIGINT' })()
  if (E.isLeft(gone)) return gone
  const started = await startPostgres({ dataDir: folder, port: 0, database })()
  if (E.isLeft(started)) return started
  const { url, port, closed, stop }: Postgres = started.right
  const version = await versionOf(url)
  if (E.isLeft(version)) {
    await stop()
    return E.left(notAnswering(folder, version.left))
  }
  return E.right({
    ...watched('PostgreSQL', closed.then(() => `its log: ${join(folder, 'server.log')}`), stop),
    url, place: `127.0.0.1:${port}/${database}`, version: version.right, isOwn: true,
  })
}

const versionOf = async (url: string): Promise<E.Either<string, string>> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version')
    return E.right(rows[0]?.server_version.split(' ')[0] ?? '')
  } catch (cause) {
    return E.left(cause instanceof Error && cause.message !== '' ? cause.message : String((cause as NodeJS.ErrnoException).code ?? cause))
  } finally {
    await client.end().catch(() => undefined)
  }
}
