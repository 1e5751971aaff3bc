import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { startPostgres, type Postgres, type PostgresOptions } from '#libs/embedded/postgres.ts'
import { freshDatabase, testPostgres } from '../../support/postgres.ts'

let folder: string
let dataDir: string
let running: Array<Postgres> = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-pgtest-'))
  await chmod(folder, 0o711)
  dataDir = join(folder, 'made', 'data')
})
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()))
  running = []
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const attempt = async (more: Partial<PostgresOptions> = {}) => {
  const started = await startPostgres({ dataDir, port: 0, database: 'shop', durable: false, ...more })()
  if (E.isRight(started)) running.push(started.right)
  return started
}
const start = async (more: Partial<PostgresOptions> = {}): Promise<Postgres> => {
  const started = await attempt(more)
  if (E.isLeft(started)) throw new Error(started.left.message)
  return started.right
}
const query = async (url: string, text: string): Promise<ReadonlyArray<unknown>> => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return (await client.query(text).finally(() => client.end())).rows as ReadonlyArray<unknown>
}
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const untilShutDown = async (): Promise<void> => {
  while (existsSync(join(dataDir, 'postmaster.pid'))) await new Promise((again) => setImmediate(again))
}

describe('a PostgreSQL of our own', () => {
  it('starts from nothing, listens on loopback only and asks for the password', async () => {
    const { url, port } = await start()
    expect(await query(url, "SELECT current_database() AS db, current_user AS me, version() ~ 'PostgreSQL 18' AS is18, upper('é') AS upper")).toEqual([{ db: 'shop', me: 'syncline', is18: true, upper: 'É' }])
    expect(await query(url, "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories', 'fsync') ORDER BY 1")).toEqual([
      { name: 'fsync', setting: 'off' }, { name: 'listen_addresses', setting: '127.0.0.1' }, { name: 'unix_socket_directories', setting: '' },
    ])
    await expect(query(`postgres://syncline:wrong@127.0.0.1:${port}/shop`, 'SELECT 1')).rejects.toThrow(/password authentication failed/)
    expect((await stat(`${dataDir}.password`)).mode & 0o777).toBe(0o600)
    expect(await readFile(`${dataDir}.password`, 'utf8')).toBe(new URL(url).password)
    expect((await readdir(join(folder, 'made'))).sort()).toEqual(['data', 'data.password'])
  })

  it('keeps its data over a stop', async () => {
    const first = await start()
    await query(first.url, 'CREATE TABLE t AS SELECT 1 AS a')
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)
    const second = await start()
    expect(await query(second.url, 'SELECT a FROM t')).toEqual([{ a: 1 }])
  })

  it('recovers what was committed when it was killed', async () => {
    const first = await start({ durable: true })
    await query(first.url, 'CREATE TABLE k AS SELECT 2 AS a')
    await first.kill()
    const second = await start({ port: first.port })
    expect(await query(second.url, 'SELECT a FROM k')).toEqual([{ a: 2 }])
    expect(await readFile(join(dataDir, 'server.log'), 'utf8')).toMatch(/automatic recovery in progress/)
  })

  it('gives each of several tests its own database', async () => {
    const [a, b] = [await freshDatabase(), await freshDatabase()]
    await query(a, 'CREATE TABLE only_here ()')
    await query(b, 'CREATE TABLE only_here ()')
    expect(await query(await testPostgres(), "SELECT count(*)::int FROM pg_database WHERE datname LIKE 'test_%'")).toEqual([{ count: 2 }])
  })
  it('and drops it after the test', async () => {
    expect(await query(await testPostgres(), "SELECT count(*)::int FROM pg_database WHERE datname LIKE 'test_%'")).toEqual([{ count: 0 }])
  })
})

describe('a start that cannot be', () => {
  it('says that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    expect(await attempt({ port })).toMatchObject(E.left({ is: 'port-in-use', message: expect.stringContaining(`port ${port} on 127.0.0.1 is in use`) as string }))
    other.close()
  })

  it('says that the data is in use, and by whom', async () => {
    const { pid } = await start()
    expect(await attempt()).toMatchObject(E.left({ is: 'data-in-use', message: expect.stringContaining(`process ${pid}`) as string }))
  })

  it('says that the folder holds something else, another version, or has lost its password', async () => {
    const strange = join(folder, 'strange')
    await mkdir(strange)
    await writeFile(join(strange, 'thesis.txt'), '')
    expect(await attempt({ dataDir: strange })).toMatchObject(E.left({ is: 'bad-data', message: expect.stringContaining('holds something') as string }))
    await writeFile(join(strange, 'PG_VERSION'), '15\n')
    expect(await attempt({ dataDir: strange })).toMatchObject(E.left({ is: 'bad-data', message: expect.stringContaining('made by PostgreSQL 15') as string }))
    await writeFile(join(strange, 'PG_VERSION'), '18\n')
    expect(await attempt({ dataDir: strange })).toMatchObject(E.left({ is: 'bad-data', message: expect.stringContaining('password') as string }))
  })

  it('quotes the log when a setting is wrong', async () => {
    expect(await attempt({ settings: { work_mem: 'lots' } })).toMatchObject(E.left({ is: 'not-ready', message: expect.stringContaining('invalid value for parameter "work_mem"') as string }))
  })

  it.runIf(process.getuid?.() === 0)('as root names the folder the other account cannot enter', async () => {
    const closed = join(folder, 'closed')
    await mkdir(closed)
    await chmod(closed, 0o700)
    expect(await attempt({ dataDir: join(closed, 'deep', 'data') })).toMatchObject(E.left({ is: 'unreachable', message: expect.stringContaining(`cannot enter ${closed} on the way`) as string }))
  })
})

describe('the server ends with its parent', () => {
  it.each([
    ['that ends', 'process.exit(0)'], ['that runs out of work', ''], ['that is killed', "process.kill(process.pid, 'SIGKILL')"],
  ])('%s', async (_, end) => {
    const script = `
      import { startPostgres } from '#libs/embedded/postgres.ts'
      const started = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0, database: 'shop', durable: false })()
      if (started._tag === 'Left') throw new Error(started.left.message)
      process.stdout.write(String(started.right.pid), () => { ${end} })`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    parent.stdout.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await once(parent, 'close')
    expect(Number(said)).toBeGreaterThan(1)
    await untilShutDown()
    expect((await readFile(join(dataDir, 'server.log'), 'utf8')).trim()).toMatch(/database system is shut down$/)
  })
})
