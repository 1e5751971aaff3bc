/** Which cluster answers at an address: what the guard of a changed account goes by. */
import { randomUUID } from 'node:crypto'
import { createServer, connect, type Server } from 'node:net'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres } from '#libs/embedded/postgres.ts'
import type { Side } from '#libs/connectors/connector.ts'
import { E } from '#libs/fp.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import { ok } from '../../../laws/law-rig.ts'
import { freshDatabase, testPostgres } from '../../../support/postgres.ts'

const open = (url: string): Promise<Side> =>
  ok(postgresConnector.open({ options: { url: { env: 'PG' }, table: 't', columns: { id: 'bigint' } }, kind: 'row', role: 'destination', connection: 'c', flow: 'f', secret: () => url, signal: new AbortController().signal }))

/** A user without any right beyond its own tables. */
const userOf = async (url: string, more = ''): Promise<string> => {
  const name = `u_${randomUUID().replaceAll('-', '')}`
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'x'; GRANT ALL ON SCHEMA public TO ${name}; ${more}`)
  await admin.end()
  const theirs = new URL(url)
  theirs.username = name
  theirs.password = 'x'
  return theirs.href
}

const principalAt = async (url: string): Promise<string | undefined> => {
  const side = await open(url)
  await side.close()
  return side.principal
}

describe('the principal of a PostgreSQL side', () => {
  it('is its cluster, the same for all databases, users and connections', async () => {
    const [one, other] = [await freshDatabase(), await freshDatabase()]
    const told = await principalAt(one)
    expect(told).toMatch(/^cluster \d+$/)
    expect([await principalAt(other), await principalAt(await userOf(one)), await principalAt(one)]).toEqual([told, told, told])
  })

  it('is left out where the server keeps it to itself, and the side opens all the same', async () => {
    const url = await freshDatabase()
    const shy = await userOf(url, 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC')
    expect(await principalAt(shy)).toBeUndefined()
  })
})

describe('an address behind which another cluster is put', () => {
  let folder: string
  let second: { readonly url: string; readonly stop: () => Promise<void> }
  let door: Server
  let behind = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syncline-second-pg-'))
    await chmod(folder, 0o711) // when we are root the server is another user
    const started = await startPostgres({ dataDir: join(folder, 'data'), port: 0, database: 'postgres', durable: false, settings: {} })()
    if (E.isLeft(started)) throw new Error(JSON.stringify(started.left))
    second = started.right
    door = createServer((socket) => {
      const to = connect(Number(new URL(behind).port), new URL(behind).hostname)
      socket.pipe(to).pipe(socket)
      for (const end of [socket, to]) end.on('error', () => end.destroy())
    })
    door.listen(0, '127.0.0.1')
    await once(door, 'listening')
  })
  afterAll(async () => {
    door.close()
    await second.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('keeps its identity, and tells another principal', async () => {
    const at = async (url: string) => {
      behind = url
      const through = new URL(url)
      through.port = String((door.address() as { port: number }).port)
      through.hostname = '127.0.0.1'
      through.pathname = '/postgres'
      const side = await open(through.href)
      await side.close()
      return side
    }
    const [before, after] = [await at(await testPostgres()), await at(second.url)]
    expect(after.identity).toBe(before.identity)
    expect(after.principal).not.toBe(before.principal)
    expect(after.principal).toMatch(/^cluster \d+$/)
  })
})
