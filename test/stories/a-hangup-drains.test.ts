/** A service that logs in with an nkey out of a file, and whose terminal goes away. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support/nats-server.ts'
import { startProcess } from '../support/processes.ts'

// The pair of the NATS documentation: a secret of nobody
const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'
const publicKey = 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4'

let server: TestServer
let folder: string
beforeAll(async () => {
  server = await startTestServer({ extra: `authorization { users: [ { nkey: ${publicKey} } ] }` })
  folder = await mkdtemp(join(tmpdir(), 'syncline-nkey-'))
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

it('drains on SIGHUP as on SIGTERM, and never tells the seed', async () => {
  const file = join(folder, 'resolver.nk')
  await writeFile(file, `${seed}\n`)
  const service = await startProcess('conflict-resolver', { NATS_URL: server.url, NATS_NKEY_FILE: file, SYNCLINE_LOG_LEVEL: 'debug' })
  const ended = once(service.child, 'exit')
  service.child.kill('SIGHUP')
  expect((await ended)[0]).toBe(0)
  expect(service.output()).toContain('service.stopping')
  expect(service.output()).toContain('SIGHUP')
  expect(service.output()).toContain('process.stopped')
  expect(service.output()).not.toContain(seed.slice(2, 20))
})

it('does not start with a file that has no seed, and names the file', async () => {
  const file = join(folder, 'public.nk')
  await writeFile(file, publicKey)
  await expect(startProcess('conflict-resolver', { NATS_URL: server.url, NATS_NKEY_FILE: file })).rejects.toThrow(/ended with 2 .*[^]*public\.nk has no seed/)
})
