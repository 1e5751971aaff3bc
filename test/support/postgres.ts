/**
 * Knows a real PostgreSQL for tests: one server per test file, started at first need, or the one of SYNCLINE_TEST_PG_URL;
 * a database of its own for every test that asks, dropped after it. Does not know schemas.
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, onTestFinished } from 'vitest'
import { E } from '#libs/fp.ts'
import { startPostgres } from '#libs/embedded/postgres.ts'

let server: Promise<{ readonly url: string; readonly stop: () => Promise<void> }> | undefined

/** Url of the database `postgres` of the file's server. */
export const testPostgres = async (): Promise<string> => {
  const given = process.env['SYNCLINE_TEST_PG_URL']
  if (given !== undefined && given !== '') return given
  server ??= start()
  return (await server).url
}

/** Url of an empty database; inside a test it is dropped when that test ends, otherwise with the file's server. */
export const freshDatabase = async (): Promise<string> => {
  const admin = await testPostgres()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await execute(admin, `CREATE DATABASE ${name}`)
  const drop = () => execute(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  try {
    onTestFinished(drop)
  } catch {
    // Asked for in beforeAll: there is no test to end.
    leftToDrop.push(drop)
  }
  const url = new URL(admin)
  url.pathname = `/${name}`
  return url.href
}

const leftToDrop: Array<() => Promise<void>> = []
afterAll(async () => {
  for (const drop of leftToDrop.splice(0)) await drop()
  await (await server)?.stop()
  server = undefined
})

const start = async (): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'syncline-pg-'))
  // When we are root the server is another user, who must get through.
  await chmod(folder, 0o711)
  const started = await startPostgres({
    dataDir: join(folder, 'data'), port: 0, database: 'postgres', durable: false, readyTimeoutMs: 180_000,
    settings: { wal_level: 'logical', shared_buffers: '32MB' },
  })()
  if (E.isLeft(started)) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(started.left.message)
  }
  const stop = async () => {
    await started.right.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { url: started.right.url, stop }
}

const execute = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
