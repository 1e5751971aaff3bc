import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { decode } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { right } from '../libs/nats/right.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { cliOn, runCli } from './run-cli.ts'

let server: TestServer
let bus: Bus
let folder: string
let cli: ReturnType<typeof cliOn>
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  folder = await mkdtemp(join(tmpdir(), 'syncline-cli-'))
  cli = cliOn(server.url, { cwd: folder })
})
afterAll(async () => {
  await bus.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const stored = async (conn: string) => {
  const entry = await right(openBucket(bus)('sync_connections').get(conn))
  const document = entry?.value ? decode(ConnectionDocument, entry.value) : undefined
  return document !== undefined && E.isRight(document) ? { ...document.right, revision: entry?.revision } : undefined
}
const config = (ids: ReadonlyArray<string>, more = '') =>
  `connections:\n${ids.map((id) => `  ${id}: { schedule: manual, kind: contact, direction: two-way, source: { provider: file, path: ./${id}-a }, destination: { provider: file, path: ./${id}-b }${more} }`).join('\n')}\n`

describe('before anything is provisioned', () => {
  it('says what is missing and what makes it', async () => {
    expect(await cli('get')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^syncline: sync_connections: .*not found; streams and buckets are made by `syncline provision`\n$/) })
    expect((await cli('doctor')).out).toMatch(/fail +streams and buckets +missing: stream SYNC_REQUESTS.*; syncline provision/)
  })

  const everything = streamDefs.length + bucketDefs.length + consumerDefs.length

  it('provisions once, and says afterwards that all is there', async () => {
    const first = await cli('provision')
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`created stream SYNC_WORK[^]*${everything} created, 0 were there already`)) })
    expect(await cli('provision')).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^all ${everything} were there already`)) })
    expect((await cli('provision --json')).json()).toEqual({ created: [], drift: [], server: expect.any(String) })
  })

  it('tells what differs and changes nothing; with --strict it exits 1', async () => {
    await bus.jsm.streams.update('SYNC_DEAD', { max_age: 86_400e9 })
    expect((await cli('provision --strict')).code).toBe(1)
    const told = await cli('provision')
    expect(told).toMatchObject({ code: 0, out: expect.stringMatching(/differs: stream SYNC_DEAD: max_age is 86400000000000, wanted is/) })
    await bus.jsm.streams.update('SYNC_DEAD', { max_age: 90 * 86_400e9 })
    expect((await cli('provision')).code).toBe(0)
  })
})

describe('connections from a file', () => {
  it('are shown first, then applied, and the second time unchanged', async () => {
    await writeFile(join(folder, 'sync.yaml'), config(['contacts', 'cards']))
    expect(await cli('apply -f sync.yaml --dry-run')).toMatchObject({ code: 0, out: 'contacts: created\ncards: created\nwould be 2 created, 0 changed, 0 unchanged\n' })
    expect(await stored('contacts')).toBeUndefined()
    expect((await cli('apply -f sync.yaml')).out).toBe('contacts: created\ncards: created\n2 created, 0 changed, 0 unchanged\n')
    expect(await stored('contacts')).toMatchObject({ appliedBy: 'ada', appliedTogether: 2, connection: { flows: [{ source: { path: join(folder, 'contacts-a') } }] } })
    expect((await cli('apply -f sync.yaml --json')).json()).toEqual({ dryRun: false, connections: [{ connection: 'contacts', change: 'unchanged', fields: [] }, { connection: 'cards', change: 'unchanged', fields: [] }] })
  })

  it('tell which fields change, and keep a pause that the file does not speak of', async () => {
    expect(await cli('pause contacts')).toMatchObject({ code: 0, out: 'contacts: paused\n' })
    const told = await cli('apply -f -', { stdin: config(['contacts'], ', lane: cold').replace('schedule: manual', 'schedule: { every: 5m }') })
    expect(told.out).toBe('contacts: changed (schedule.kind, schedule.everyMs, lane)\n0 created, 1 changed, 0 unchanged\n')
    expect(await stored('contacts')).toMatchObject({ connection: { paused: true, lane: 'cold' } })
    expect((await cli('resume contacts')).out).toBe('contacts: resumed\n')
    expect((await cli('resume contacts --json')).json()).toEqual({ connection: 'contacts', paused: false, changed: false })
  })

  it('are refused whole, with every mistake by line, when anything is wrong', async () => {
    await writeFile(join(folder, 'bad.yaml'), `${config(['fresh'])}  other: { kind: contact, direction: sideways, source: { provider: file }, destination: { provider: file, path: x } }\n`)
    const told = await cli('apply -f bad.yaml')
    expect(told).toMatchObject({ code: 2, out: '' })
    expect(told.err).toMatch(/^bad\.yaml:3:\d+ connections\.other\.direction: expected one of one-way, two-way.*\nbad\.yaml:3:\d+ connections\.other\.source\.path: `path` is missing.*\nsyncline: 2 mistakes; nothing was applied\n$/)
    expect(await stored('fresh')).toBeUndefined()
    expect(((await cli('apply -f bad.yaml --json')).json() as { mistakes: ReadonlyArray<unknown> }).mistakes).toHaveLength(2)
  })

  it('are refused when they close a loop with one applied before', async () => {
    const back = 'connections: { back: { schedule: manual, kind: contact, direction: one-way, source: { provider: file, path: ./cards-b }, destination: { provider: file, path: ./cards-a } } }'
    expect(await cli('apply -f -', { stdin: back })).toMatchObject({ code: 2, err: expect.stringMatching(/changes would go round for ever: .*cards-a.*\(cards\).*\(back\); applied before: cards/) })
    expect(await stored('back')).toBeUndefined()
  })

  it('are refused when the file is not there', async () => {
    expect(await cli('apply -f gone.yaml')).toMatchObject({ code: 2, err: 'syncline: gone.yaml cannot be read: there is no such file\n' })
  })
})

describe('a connection that is there', () => {
  it('is listed, and shown as configuration that applies unchanged', async () => {
    expect((await cli('get')).out).toMatch(/^CONNECTION +SCHEDULE +FLOWS .*\ncards +manual +file ↔ file \(contact\) +source-wins .*\ncontacts +every 5m +file ↔ file/)
    const shown = await cli('get contacts')
    expect(shown.out).toMatch(/^connections:\n {2}contacts:\n {4}schedule:\n {6}every: 5m\n/)
    expect((await cli('apply -f -', { stdin: shown.out })).out).toMatch(/0 created, 0 changed, 1 unchanged/)
    expect((await cli('get contacts -o json')).json()).toMatchObject({ connection: { id: 'contacts' } })
    expect((await cli('get --json')).json()).toMatchObject({ connections: [{ connection: { id: 'cards' } }, { connection: { id: 'contacts' } }] })
  })

  it('is paused by two people at once without harm', async () => {
    expect((await Promise.all(Array.from({ length: 4 }, () => cli('pause cards')))).map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(await stored('cards')).toMatchObject({ connection: { paused: true } })
  })

  it('is deleted only with --yes, and its history only with --state', async () => {
    const asked = await cli('delete cards')
    expect(asked).toMatchObject({ code: 2, err: 'syncline: this would remove of cards: the connection document; the data of its two sides stays; say --yes to do it\n' })
    expect(await cli('delete cards --yes')).toMatchObject({ code: 0, out: 'cards: removed connection document\n' })
    await right(openBucket(bus)('sync_state').put('page.cards.main.0', new TextEncoder().encode('{}')))
    await right(openBucket(bus)('sync_history').put('cards', new TextEncoder().encode('{}')))
    expect((await cli('delete cards --state --yes --json')).json()).toMatchObject({ connection: 'cards', removed: expect.arrayContaining([{ what: 'links', entries: 1 }, { what: 'history', entries: 1 }]) })
    expect((await cli('delete cards --yes')).code).toBe(3)
  })
})

describe('a call that cannot be', () => {
  it('says which connection may have been meant, and exits 3', async () => {
    expect(await cli('get contcts')).toMatchObject({ code: 3, err: 'syncline: there is no connection contcts; did you mean contacts?\n' })
    expect((await cli('pause nowhere --json')).json()).toEqual({ error: { code: 3, name: 'notFound', message: 'there is no connection nowhere', mend: '`syncline get` lists them' } })
    expect((await cli('status con>tacts')).code).toBe(3)
  })

  it('is a usage error when it is mistyped', async () => {
    expect(await cli('stauts')).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean') })
    expect((await cli('history')).code).toBe(2)
    expect(await cli('history contacts --limit many')).toMatchObject({ code: 2, err: expect.stringContaining('Expected a whole number from 1 to 10000') })
    expect((await cli('sync contacts --timeout soon')).code).toBe(2)
    expect(await cli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: syncline') })
    expect(await cli('--version')).toMatchObject({ code: 0, out: '1.2.3\n' })
  })

  it('names the address and how to start when nothing listens', async () => {
    const told = await runCli(['status', '--server', 'nats://127.0.0.1:1'])
    expect(told).toMatchObject({ code: 1, out: '' })
    expect(told.err).toMatch(/^syncline: cannot reach NATS at nats:\/\/127\.0\.0\.1:1 \(--server\): .*ECONNREFUSED.*; start one with `npm start`, or name yours with --server or NATS_URL\n$/)
    expect((await runCli(['doctor', '--server', 'nats://127.0.0.1:1'])).code).toBe(1)
  })

  it('says which service does not answer', async () => {
    expect(await cli('sync contacts')).toMatchObject({ code: 1, err: 'syncline: no scheduler answers on sync.trigger.contacts; start one: npm run start:scheduler, or npm start for everything\n' })
    expect(await cli('dlq ls')).toMatchObject({ code: 1, err: expect.stringMatching(/no tracker answers on sync\.api\.dlq-list/) })
    expect(await cli('cancel contacts')).toMatchObject({ code: 1, err: expect.stringMatching(/no sync-worker answers/) })
    expect((await cli('doctor')).out).toMatch(/fail +scheduler +does not answer; start one[^]*fail +sync-worker +nobody pulls from hot and cold/)
  })

  it('says nothing with --quiet but by its exit code', async () => {
    expect(await cli('get --quiet')).toMatchObject({ code: 0, out: '', err: '' })
  })
})
