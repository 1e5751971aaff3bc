import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { startHouse, type House } from '../support/house.ts'
import { cliOn } from './run-cli.ts'

const card = (uid: string, name: string) => `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nN:${name};;;;\r\nEND:VCARD\r\n`

let house: House
let folder: string
let cli: ReturnType<typeof cliOn>
beforeAll(async () => {
  house = await startHouse({ connectors: new Map([[fileConnector.provider, fileConnector]]) })
  folder = await mkdtemp(join(tmpdir(), 'syncline-runs-'))
  cli = cliOn(house.server.url, { cwd: folder, env: { SYNCLINE_HTTP_URL: house.tracker?.url } })
  await mkdir(join(folder, 'a'))
  await mkdir(join(folder, 'b'))
  await writeFile(join(folder, 'a', 'ada.vcf'), card('ada', 'Ada'))
  await writeFile(join(folder, 'sync.yaml'), `
connections:
  contacts: { schedule: manual, kind: contact, direction: two-way, source: { provider: file, path: ./a }, destination: { provider: file, path: ./b } }
  lost: { schedule: manual, kind: contact, direction: one-way, source: { provider: file, path: ./gone }, destination: { provider: file, path: ./c } }
`)
  await cli('apply -f sync.yaml')
})
afterAll(async () => {
  await house.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The tracker hears of a run a moment after the one who waited for it. */
const settled = async (line: string, pattern: RegExp): Promise<string> => {
  for (;;) {
    const { out } = await cli(line)
    if (pattern.test(out)) return out
  }
}

describe('a connection that nobody has asked for yet', () => {
  it('is told as such', async () => {
    expect((await settled('status', /contacts/))).toMatch(/^CONNECTION +STATE +LAST SYNC .*\ncontacts +never_synced +never +- +0 +0\nlost +never_synced/)
    expect(await cli('history contacts')).toMatchObject({ code: 0, out: 'contacts has no runs yet: syncline explain contacts\n' })
    expect((await cli('explain contacts')).out).toMatch(/^contacts: it has never run: its schedule is manual, and nobody has asked\n {2}→ syncline sync contacts --wait/)
  })

  it('shows its plan without writing anything', async () => {
    const plan = await cli('plan contacts')
    expect(plan).toMatchObject({ code: 0, err: '' })
    expect(plan.out).toMatch(/^contacts: dry run succeeded in .*\n.*\n {2}1 move, nothing was written \(plan \S+\)\n {4}DO +ON +ITEM.*\n {4}create +destination +ada/)
    expect(await readdir(join(folder, 'b'))).toEqual([])
  })
})

describe('a run that is waited for', () => {
  it('ends with what it did, and exit 0', async () => {
    const told = await cli('sync contacts --wait')
    expect(told).toMatchObject({ code: 0, err: '' })
    expect(told.out).toMatch(/^contacts: succeeded in .* \(run [0-9A-Z]{26}\)\n {2}1 read, 1 created \(first sync\)\n$/)
    expect(await readdir(join(folder, 'b'))).toHaveLength(1)
  })

  it('is one JSON object, with the times as text', async () => {
    const answer = (await cli('sync contacts --wait --json')).json()
    expect(answer).toMatchObject({ connection: 'contacts', answer: 'accepted', code: 202, result: { outcome: 'succeeded', cause: 'manual', startedAt: expect.stringMatching(/^\d{4}-.*Z$/) } })
  })

  it('ends with exit 1 and the reason when a side is not there', async () => {
    const told = await cli('sync lost --wait')
    expect(told.code).toBe(1)
    expect(told.out).toMatch(/^lost: failed in [^]*error: [^]*gone[^]*what to do: /)
  })

  it('is given up by Ctrl-C or after --timeout, and goes on', async () => {
    const gone = new AbortController()
    gone.abort(130)
    expect(await cli('sync contacts --wait', { interrupted: gone.signal })).toMatchObject({ code: 130, err: expect.stringMatching(/run \S+ goes on: syncline status contacts shows it/) })
    expect(await cli('sync contacts --timeout 0s')).toMatchObject({ code: expect.toBeOneOf([7, 0]) })
    expect((await cli('sync contacts --wait')).code).toBe(0)
  })
})

describe('what has happened', () => {
  it('is in status, history and statistics', async () => {
    const status = await settled('status contacts', /last run +succeeded/)
    expect(status).toMatch(/^contacts: idle\n {2}last sync +\d+\w+ ago \(.*Z\)\n/)
    expect((await settled('history contacts', /1 created/))).toMatch(/^ENDED +OUTCOME +CAUSE +TOOK +RUN +WHAT\n.* succeeded +manual /)
    expect((await cli('history contacts --all --limit 3 --json')).json()).toMatchObject({ connection: 'contacts', history: [{ outcome: 'succeeded' }, { outcome: 'succeeded' }, {}] })
    expect(await settled('stats', /contacts/)).toMatch(/contacts +\d+ succeeded/)
    expect(await settled('status --state error', /lost/)).toMatch(/lost +error +never +failed .*gone/)
    expect((await cli('history nowhere')).code).toBe(3)
  })

  it('explains a failure with what to do', async () => {
    expect((await cli('explain lost')).out).toMatch(/^lost: its last run ended as failed [^]*→ then: syncline sync lost --wait[^]*last outcomes/)
    expect((await cli('explain contacts --json')).json()).toMatchObject({ connection: 'contacts', verdict: expect.stringMatching(/^it did sync/), scheduler: 'answers', next: [] })
  })

  it('keeps what was overwritten, as a card', async () => {
    await writeFile(join(folder, 'a', 'ada.vcf'), card('ada', 'Ada Lovelace'))
    expect((await cli('sync contacts --wait')).out).toMatch(/1 updated/)
    const list = await cli('versions contacts ada')
    expect(list.out).toMatch(/^SEQ +WHEN +BECAUSE +SIDE .*\n(\d+) +\d+m?s ago +overwritten +destination +main +ada/)
    const seq = /\n(\d+) /.exec(list.out)?.[1] ?? ''
    expect((await cli(`versions contacts --show ${seq}`)).out).toMatch(/^BEGIN:VCARD\r?\n[^]*FN:Ada\r?\n[^]*END:VCARD\n$/)
    expect((await cli('versions contacts --json')).json()).toMatchObject({ versions: [{ seq: Number(seq), key: 'ada', at: expect.any(String) }] })
    expect(await cli('versions contacts nobody')).toMatchObject({ code: 0, out: expect.stringMatching(/nothing of contacts with the key nobody/) })
    expect((await cli('versions contacts --show 999')).code).toBe(3)
  })
})

describe('a connection that may not run now', () => {
  it('is refused with exit 4 while it is paused', async () => {
    await cli('pause contacts')
    const told = await settledCode('sync contacts', 4)
    expect(told.err).toMatch(/paused.*resume it first: syncline resume contacts/)
    expect((await cli('explain contacts')).out).toMatch(/^contacts: it is paused/)
    await cli('resume contacts')
    await settledCode('sync contacts --wait', 0)
  })

  it('is unknown with exit 3', async () => {
    expect(await cli('sync contatcs')).toMatchObject({ code: 3, err: 'syncline: there is no connection contatcs; did you mean contacts?\n' })
    expect(await cli('cancel contacts')).toMatchObject({ code: 3, out: expect.stringMatching(/^contacts: nothing to cancel/) })
  })
})

const settledCode = async (line: string, code: number) => {
  for (;;) {
    const told = await cli(line)
    if (told.code === code) return told
  }
}

describe('dead letters', () => {
  it('are none, and an unknown one is exit 3', async () => {
    expect(await cli('dlq ls')).toMatchObject({ code: 0, out: 'there are none\n' })
    expect(await cli('dlq show 7')).toMatchObject({ code: 3, err: expect.stringMatching(/there is no dead letter 7/) })
    expect((await cli('dlq redrive 7')).code).toBe(3)
    expect(await cli('dlq discard 7')).toMatchObject({ code: 2, err: expect.stringMatching(/required option '--reason/) })
  })

  it('show a broken card, and go when it is asked for again', async () => {
    await writeFile(join(folder, 'a', 'broken.vcf'), 'BEGIN:VCARD\r\nnothing\r\n')
    expect(await cli('sync contacts --wait')).toMatchObject({ code: 5, out: expect.stringMatching(/contacts: partial .*1 parked/s) })
    const list = await cli('dlq ls contacts')
    expect(list.out).toMatch(/^SEQ .*\n1 +.* contacts +parked-record +/)
    expect((await cli('dlq show 1')).out).toMatch(/^1: parked-record of contacts, .*\n {2}why +/)
    await rm(join(folder, 'a', 'broken.vcf'))
    expect(await cli('dlq redrive 1')).toMatchObject({ code: 0, out: expect.stringMatching(/^1: run \S+ of contacts was asked for\n$/) })
    expect((await cli('dlq ls')).out).toBe('there are none\n')
  })
})

describe('doctor', () => {
  it('finds nothing wrong in a house that stands', async () => {
    const told = await cli('doctor')
    expect(told.out).not.toMatch(/^fail/m)
    expect(told).toMatchObject({ code: 0 })
    expect((await cli('doctor --json')).json()).toMatchObject({ ok: true })
  })
})
