/** The commands that take something away or hold it: shown first, done with --confirm, and on record with who and why. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { encode } from '#libs/contracts/decode.ts'
import { subjects } from '#libs/contracts/subjects.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { right } from '../libs/nats/right.ts'
import { startHouse, type House } from '../support/house.ts'
import { until } from '../support/processes.ts'
import { cliOn, type Answered } from './run-cli.ts'

const card = (uid: string, name: string) => `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nN:${name};;;;\r\nEND:VCARD\r\n`

let house: House
let folder: string
let cli: ReturnType<typeof cliOn>
beforeAll(async () => {
  house = await startHouse({ connectors: new Map([[fileConnector.provider, fileConnector]]) })
  folder = await mkdtemp(join(tmpdir(), 'syncline-operator-'))
  cli = cliOn(house.server.url, { cwd: folder })
  await writeFile(join(folder, 'sync.yaml'), `
connections:
${['contacts', 'cards', 'held', 'gone', 'rows'].map((id) => `  ${id}: { schedule: manual, kind: contact, direction: two-way, source: { provider: file, path: ./${id}-a }, destination: { provider: file, path: ./${id}-b } }`).join('\n')}
`)
  expect((await cli('apply -f sync.yaml')).code).toBe(0)
})
afterAll(async () => {
  await house.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A folder on each side of the connection, with these cards on the first. */
const withCards = async (id: string, cards: Readonly<Record<string, string>>): Promise<void> => {
  for (const side of ['a', 'b']) await mkdir(join(folder, `${id}-${side}`), { recursive: true })
  for (const [uid, name] of Object.entries(cards)) await writeFile(join(folder, `${id}-a`, `${uid}.vcf`), card(uid, name))
}

/** Until the run before is over and the connection may be asked again: its result comes a moment before. */
const whenFree = async (line: string): Promise<Answered> => {
  for (;;) {
    const told = await cli(line)
    if (told.code !== 4) return told
  }
}
const names = async (id: string, side: string): Promise<ReadonlyArray<string>> => (await readdir(join(folder, `${id}-${side}`))).sort()
const runOf = (told: Answered): string => /\(run ([0-9A-Z]{26})\)/.exec(told.out)?.[1] ?? ''

describe('reset', () => {
  it('says what would be forgotten and what follows, and forgets only with --confirm', async () => {
    await withCards('contacts', { ada: 'Ada', eve: 'Eve' })
    expect((await whenFree('sync contacts --wait')).code).toBe(0)
    const unsure = await whenFree('reset contacts --links')
    expect(unsure).toMatchObject({ code: 2, err: 'syncline: nothing was forgotten yet; say --confirm to do it\n' })
    expect(unsure.out).toMatch(/^contacts: dry run succeeded in .*\n {2}would forget where it was read to and 2 links\n {2}the next run: a first sync: what is equal is linked, .* nothing is deleted\n$/)
    expect(await whenFree('reset contacts --dry-run')).toMatchObject({ code: 0, out: expect.stringMatching(/would forget where it was read to\n {2}the next run: compares everything, with its 2 links as the base\n$/) })
    const done = await whenFree('reset contacts --links --confirm --reason moved')
    expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/forgot where it was read to and 2 links/), err: '' })
    await rm(join(folder, 'contacts-a', 'eve.vcf'))
    expect((await whenFree('sync contacts --wait')).out).toMatch(/1 created.*\(first sync\)/)
    expect(await names('contacts', 'a')).toHaveLength(2)
  })

  it('is on record with who and why, and in the history', async () => {
    expect((await cli('audit contacts --json')).json()).toMatchObject({ audit: [{ act: 'reset', conn: 'contacts', by: 'ada', reason: 'moved', count: 2, what: 'flow main: forgets its cursor and 2 links' }] })
    expect((await cli('audit')).out).toMatch(/^WHEN +CONNECTION +ACT +BY +WHAT\n.* contacts +reset +ada +flow main: forgets its cursor and 2 links \(moved\)/)
    expect(JSON.stringify((await cli('history contacts --json')).json())).toContain('"asked":{"what":"reset","of":"links","by":"ada","reason":"moved"}'.replaceAll('":', '":'))
  })

  it('is refused for a connection or a flow that is not there, and for two ways at once', async () => {
    expect(await cli('reset contact --confirm')).toMatchObject({ code: 3, err: expect.stringMatching(/did you mean contacts\?/) })
    expect(await whenFree('reset contacts --flow other --confirm')).toMatchObject({ code: 1, out: expect.stringMatching(/contacts has no flow other/) })
    expect((await cli('reset contacts --links --cursor')).code).toBe(2)
    expect((await cli('reset contacts --confirm --dry-run')).code).toBe(2)
  })
})

describe('undo', () => {
  it('shows what it would take back, takes it back with --confirm, and leaves alone what was edited since', async () => {
    await withCards('cards', { ada: 'Ada', eve: 'Eve', bob: 'Bob' })
    expect((await whenFree('sync cards --wait')).code).toBe(0)
    await writeFile(join(folder, 'cards-a', 'ada.vcf'), card('ada', 'Ada Lovelace'))
    await rm(join(folder, 'cards-a', 'eve.vcf'))
    await writeFile(join(folder, 'cards-a', 'new.vcf'), card('new', 'New'))
    const ran = await whenFree('sync cards --wait')
    expect(ran.out).toMatch(/1 created, 1 updated, 1 deleted/)
    const run = runOf(ran)
    await writeFile(join(folder, 'cards-b', (await names('cards', 'b')).find((name) => name.includes('new')) ?? ''), card('new', 'Newer'))
    expect((await whenFree(`undo cards ${run} --dry-run`)).code).toBe(5)
    const unsure = await whenFree(`undo cards ${run}`)
    expect(unsure).toMatchObject({ code: 2, err: `run ${run} ended as succeeded: 1 created, 1 updated, 1 deleted\nsyncline: nothing was taken back yet; say --confirm to do it\n`, out: expect.stringMatching(/3 moves, nothing was written\n/) })
    expect(unsure.out).toMatch(/put back +destination +ada/)
    expect(unsure.out).toMatch(/bring back +destination +eve/)
    expect(unsure.out).toMatch(/leave alone +destination +new +it was edited since/)
    expect((await cli('audit cards')).out).toBe('nothing of cards\n')
    const done = await whenFree(`undo cards ${run} --confirm --reason oops`)
    expect(done).toMatchObject({ code: 5, out: expect.stringMatching(/warning.*: left alone: "new" at the destination: it was edited since/) })
    expect((await names('cards', 'b')).length).toBe(4)
    const texts = await Promise.all((await names('cards', 'b')).map((name) => readFile(join(folder, 'cards-b', name), 'utf8')))
    expect(texts.join('')).toMatch(/FN:Ada\r\n/)
    expect((await cli('audit cards --json')).json()).toMatchObject({ audit: [{ act: 'undo', by: 'ada', reason: 'oops' }] })
  })

  it('is refused for what is no run, or none that anything is archived of', async () => {
    expect(await cli('undo cards 17')).toMatchObject({ code: 2, err: expect.stringMatching(/"17" is not the id of a run; syncline history cards shows them/) })
    expect(await whenFree('undo cards 01JD7Q8Z6VXK3M5T9W2B4C6D8E')).toMatchObject({ code: 1, out: expect.stringMatching(/nothing is archived of run 01JD7Q8Z6VXK3M5T9W2B4C6D8E of cards/) })
  })
})

describe('hold and release', () => {
  it('lets runs plan and write nothing, which status, explain and a run tell; apply does not take it off', async () => {
    await withCards('held', { ada: 'Ada' })
    expect(await cli('hold held', {})).toMatchObject({ code: 0, out: 'held: held; nothing is written until it is released\n' })
    expect((await cli('hold held --json')).json()).toEqual({ connection: 'held', held: true, changed: false })
    expect((await cli('status held')).out).toMatch(/^held: held\n[^]* {2}on hold {5}by ada .*; syncline release held takes it off/)
    expect(await whenFree('sync held --wait')).toMatchObject({ code: 6, out: expect.stringMatching(/held by a person\n.*held by ada since .*: 1 write waits\n[^]*create +destination +ada/) })
    expect(await names('held', 'b')).toEqual([])
    await until('the tracker knows', async () => (await cli('explain held')).out.startsWith('held: it is held by ada: runs plan, and write nothing'))
    expect((await cli('apply -f sync.yaml')).out).toMatch(/0 created, 0 changed/)
    expect((await whenFree('plan held')).code).toBe(6)
  })

  it('lets an approved plan through, and everything once released', async () => {
    const plan = /plan ([0-9a-f]{16})/.exec((await whenFree('plan held')).out)?.[1] ?? ''
    // A dry run marks nothing: the plan is offered by the run before, which is the same
    expect((await whenFree(`approve held ${plan}`)).code).toBe(0)
    expect(await names('held', 'b')).toHaveLength(1)
    await writeFile(join(folder, 'held-a', 'eve.vcf'), card('eve', 'Eve'))
    expect((await whenFree('sync held --wait')).code).toBe(6)
    expect(await cli('release held --reason checked')).toMatchObject({ code: 0, out: 'held: released; the next run writes what waits\n' })
    expect((await cli('release held')).out).toBe('held: was not held\n')
    expect((await whenFree('sync held --wait')).out).toMatch(/1 created/)
    expect((await cli('audit held --json')).json()).toMatchObject({ audit: [{ act: 'release', reason: 'checked' }, { act: 'hold', by: 'ada' }] })
  })
})

describe('cleanup', () => {
  it('finds what a deleted connection left, says so, and removes it with --confirm', async () => {
    await withCards('gone', { ada: 'Ada' })
    expect((await whenFree('sync gone --wait')).code).toBe(0)
    await writeFile(join(folder, 'gone-a', 'ada.vcf'), card('ada', 'Ada B.'))
    expect((await whenFree('sync gone --wait')).code).toBe(0)
    await right(openBucket(house.bus)('sync_secrets').put('gone.token', new Uint8Array([1])))
    await until('its status is there', async () => (await right(streamInfo(house.bus)('KV_sync_status', '$KV.sync_status.gone'))).subjects['$KV.sync_status.gone'] === 1)
    expect(await cli('cleanup')).toMatchObject({ code: 0, out: 'there is nothing to clean up\n' })
    expect(await cli('cleanup gone')).toMatchObject({ code: 2, err: expect.stringMatching(/gone is there: nothing of it is left over/) })
    await until('no run holds it', async () => (await cli('delete gone --yes')).code === 0)
    await until('its lease is given back', async () => (await cli('cleanup --dry-run')).out.includes('links'))
    const shown = await cli('cleanup --dry-run')
    expect(shown.code).toBe(0)
    for (const what of ['checkpoints', 'links', 'status', 'history', 'archived versions', 'secrets']) expect(shown.out).toMatch(new RegExp(`^gone +${what} +[1-9]`, 'm'))
    expect(await cli('cleanup')).toMatchObject({ code: 2, err: 'syncline: nothing was removed yet; say --confirm to do it\n' })
    const done = await cli('cleanup --confirm --reason closed')
    expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/^gone: removed checkpoints \(1\)$/m) })
    expect(await cli('cleanup')).toMatchObject({ code: 0, out: 'there is nothing to clean up\n' })
    expect(await cli('cleanup gone')).toMatchObject({ code: 3 })
    const { audit } = (await cli('audit gone --json')).json() as { audit: ReadonlyArray<{ act: string; what: string; reason?: string }> }
    expect(audit.filter(({ act, reason }) => act === 'cleanup' && reason === 'closed').map(({ what }) => what)).toContain('removes secrets of a connection that is gone')
    expect(audit.at(-1)).toMatchObject({ act: 'delete', what: 'removes the connection document' })
  })
})

describe('dead letters chosen by a filter', () => {
  const letter = async (conn: string, n: number, error: DeadLetter['error']): Promise<void> => {
    const dead: DeadLetter = { conn, stream: 'SYNC_WORK', seq: 1_000 + n, body: '{}', headers: {}, attempts: [], at: Date.now(), why: error?.message ?? 'no reason', ...(error === undefined ? {} : { error }) }
    await right(publish(house.bus)(subjects.dead(conn), encode(DeadLetter, dead), { headers: { 'Syncline-Schema': DeadLetter.schema } }))
  }

  it('are counted in a dry run, and redriven by one run for each connection', async () => {
    await withCards('rows', {})
    for (let n = 0; n < 3; n++) await letter('rows', n, { is: 'unavailable', message: 'refused', code: 'ECONNREFUSED' })
    await letter('rows', 3, { is: 'needs-person', message: 'password', code: '401' })
    await letter('nowhere', 4, { is: 'unavailable', message: 'refused', code: 'ECONNREFUSED' })
    expect(await cli('dlq redrive')).toMatchObject({ code: 2, err: expect.stringMatching(/which dead letters\?/) })
    expect(await cli('dlq redrive 1 --all')).toMatchObject({ code: 2 })
    const dry = await cli('dlq redrive --error-class econnrefused --since 1h --dry-run')
    expect(dry).toMatchObject({ code: 0, out: expect.stringMatching(/^would redrive 4: 3 of rows unavailable, 1 of nowhere unavailable\nSEQ /) })
    expect((await cli('dlq redrive --conn rows --since 1h --dry-run --json')).json()).toMatchObject({ dryRun: true, count: 4 })
    const told = await cli('dlq redrive --error-class unavailable --reason mended')
    expect(told).toMatchObject({ code: 5, out: expect.stringMatching(/^rows: run [0-9A-Z]{26} was asked for, for 3 letters\n$/), err: expect.stringMatching(/connection nowhere is not there any more/) })
    expect((await cli('dlq ls rows --json')).json()).toMatchObject({ dead: [{ why: 'password', error_class: 'needs-person', error_code: '401' }] })
  })

  it('are discarded with --confirm only', async () => {
    expect(await cli('dlq discard --conn nowhere --reason closed')).toMatchObject({ code: 2, out: expect.stringMatching(/^would discard 1: /), err: 'syncline: nothing was discarded yet; say --confirm to do it\n' })
    expect(await cli('dlq discard --conn nowhere --reason closed --confirm')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+: discarded\n$/) })
    expect(await cli('dlq discard --conn nowhere --reason closed --confirm')).toMatchObject({ code: 0, out: expect.stringMatching(/^there are none such\n/) })
    expect((await cli('audit nowhere --json')).json()).toMatchObject({ audit: [{ act: 'discard', by: 'ada', reason: 'closed' }] })
  })

  it('are edited from a text or in an editor, and only to what can be asked for', async () => {
    const seqOf = async (): Promise<number> => ((await cli('dlq ls rows --json')).json() as { dead: ReadonlyArray<{ seq: number }> }).dead[0]?.seq ?? 0
    const seq = await seqOf()
    expect(await cli(`dlq edit ${seq} --body -`, { stdin: '{"mode": "everything"}' })).toMatchObject({ code: 2, err: expect.stringMatching(/^syncline: mode: expected .*; nothing was changed\n$/) })
    expect(await cli(`dlq edit ${seq} --body -`, { stdin: 'mode: full' })).toMatchObject({ code: 2, err: expect.stringMatching(/the text is not JSON: .*; nothing was changed/) })
    expect(await cli(`dlq edit ${seq}`)).toMatchObject({ code: 2, err: expect.stringMatching(/no editor is named; set EDITOR/) })
    const told = await cli(`dlq edit ${seq} --body - --reason again`, { stdin: '{"mode": "full"}' })
    expect(told).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^${seq}: edited, it is \\d+ now; syncline dlq redrive \\d+ asks for it\n$`)) })
    const edited = await seqOf()
    expect((await cli(`dlq show ${edited}`)).out).toMatch(/ {2}edited +.* by ada \(again\), before: \{\}\n {2}asks for +\{"mode":"full"\}/)
    await writeFile(join(folder, 'editor.sh'), '#!/bin/sh\ngrep -q full "$1" || exit 1\nprintf \'{"mode": "auto", "reason": "by editor"}\' > "$1"\n')
    const env = { EDITOR: `sh ${join(folder, 'editor.sh')}`, PATH: process.env['PATH'] }
    expect(await cli(`dlq edit ${edited}`, { env })).toMatchObject({ code: 0 })
    expect((await cli(`dlq show ${await seqOf()}`)).out).toMatch(/asks for +\{"mode":"auto","reason":"by editor"\}/)
    expect(await cli(`dlq edit ${await seqOf()}`, { env })).toMatchObject({ code: 1, err: expect.stringMatching(/the editor .* ended with 1; nothing was changed/) })
  })
})
