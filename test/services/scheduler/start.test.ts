import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { encode } from '#libs/contracts/decode.ts'
import { Status } from '#libs/contracts/status.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { deleteMessage } from '#libs/nats/stream-messages.ts'
import { natsRig, right, type NatsRig } from './nats-rig.ts'

const manual: Schedule = { kind: 'manual' }
const daily: Schedule = { kind: 'interval', everyMs: 86_400_000 }

let rig: NatsRig
beforeAll(async () => {
  rig = await natsRig()
})
afterAll(() => rig.end())
beforeEach(() => rig.forgetAll())
afterEach(() => rig.stopAll())

describe('a connection put into the bucket', () => {
  it('gets its first work item at once, with a trace of its own', async () => {
    await rig.startScheduler()
    await rig.apply('contacts', daily)
    const item = await rig.work('contacts')
    expect(item).toMatchObject({ conn: 'contacts', cause: 'first', lane: 'hot' })
    expect(item.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(item.headers['Syncline-Schema']).toBe('work-item.1')
  })

  it('is not told first again by the next start', async () => {
    const first = await rig.startScheduler()
    await rig.apply('contacts', daily)
    const { seq } = await rig.work('contacts')
    await right(deleteMessage(rig.bus)('SYNC_WORK', seq))
    await first.stop()
    await rig.startScheduler()
    await rig.request('contacts')
    expect(await rig.work('contacts')).toMatchObject({ cause: 'manual' })
  })

  it('keeps its last good document when an unreadable one follows', async () => {
    await rig.startScheduler()
    await rig.apply('contacts', manual)
    await rig.putDocument('contacts', '{"connection":')
    expect(await rig.question('contacts')).toMatchObject({ answer: 'accepted' })
  })

  it('is told apart from none when its only document is unreadable', async () => {
    await rig.startScheduler()
    await rig.putDocument('contacts', '{"connection":')
    expect(await rig.question('contacts')).toMatchObject({ answer: 'unavailable', message: expect.stringContaining('document of contacts cannot be read') as string })
  })
})

describe('a request', () => {
  it('with an empty body becomes work that continues the asker\'s trace', async () => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    const { seq } = await rig.request('contacts', '', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
    const item = await rig.work('contacts')
    expect(item).toMatchObject({ cause: 'manual', requestSeq: seq })
    expect(item.headers).toMatchObject({ 'Nats-Msg-Id': `req:${seq}`, traceparent: expect.stringContaining('a'.repeat(32)) as string })
    await rig.mailboxEmptied()
  })

  it('waits for its time', async () => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    const notBefore = Date.now() + 400
    await rig.request('contacts', JSON.stringify({ notBefore }))
    expect((await rig.work('contacts')).askedAt).toBeGreaterThanOrEqual(notBefore)
  })

  it('is kept while its connection is busy, and served by a run that began after it', async () => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    expect((await rig.question('contacts')).answer).toBe('accepted')
    const [plain, full] = [await rig.request('contacts'), await rig.request('contacts', '{"mode":"full"}')]
    const lastRun = { run: 'R', outcome: 'succeeded' as const, startedAt: Date.now() + 60_000, finishedAt: Date.now() + 60_001 }
    await right(openBucket(rig.bus)('sync_status').put('contacts', encode(Status, { conn: 'contacts' as ConnectionId, state: 'idle', fence: 1, parked: 0, hasSyncToken: false, updatedAt: 1, lastRun })))
    expect(await rig.skipped('contacts')).toMatchObject({ run: `req:${plain.seq}`, requestSeq: plain.seq, reason: expect.stringContaining('run R') as string })
    await right(deleteMessage(rig.bus)('SYNC_WORK', (await rig.work('contacts')).seq))
    expect(await rig.work('contacts')).toMatchObject({ mode: 'full', requestSeq: full.seq })
  })

  it.each([
    ['nonsense', 'contacts', '{"mode":"sideways"}', 'mode: expected'],
    ['bytes that are no text', 'contacts', '\uD800{', 'not JSON'],
    ['an impossible time', 'contacts', '{"notBefore":"soon"}', 'notBefore: expected'],
    ['a connection nobody applied', 'strangers', '', 'no connection is called "strangers"'],
  ])('that is %s ends as a whole dead letter', async (_, id, body, why) => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    const { seq } = await rig.request(id, body)
    const letter = await rig.until(() => rig.last(DeadLetter, 'SYNC_DEAD', `sync.dead.${id}`))
    expect(letter).toMatchObject({ conn: id, stream: 'SYNC_REQUESTS', seq: expect.any(Number) as number, writtenBy: 'scheduler', why: expect.stringContaining(why) as string })
    expect(letter.headers['Nats-Msg-Id']).toBe(`dlq:SYNC_REQUESTS:${seq}`)
    await rig.mailboxEmptied()
  })
})

describe('a question', () => {
  it('is accepted with a run id, and then told what is queued', async () => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    const accepted = await rig.question('contacts', { dryRun: true })
    expect(accepted).toMatchObject({ answer: 'accepted', code: 202, run: expect.stringMatching(/^[0-9A-Z]{26}$/) as string })
    expect(await rig.work('contacts')).toMatchObject({ run: accepted.run, dryRun: true, cause: 'manual' })
    expect(await rig.question('contacts')).toMatchObject({ answer: 'already-running', code: 409, run: accepted.run, state: 'queued' })
  })

  it('may queue one more run behind the one that is going', async () => {
    await rig.apply('contacts', manual)
    await rig.startScheduler()
    const [first, second] = [await rig.question('contacts'), await rig.question('contacts', { ifRunning: 'queue' })]
    expect(second).toMatchObject({ answer: 'queued', code: 202 })
    await right(deleteMessage(rig.bus)('SYNC_WORK', (await rig.work('contacts')).seq))
    expect((await rig.work('contacts')).run).toBe(second.run)
    expect(first.run).not.toBe(second.run)
  })

  it.each([
    ['for a connection nobody applied', 'strangers', '', { answer: 'unknown', code: 404, message: expect.stringContaining('strangers') as string }],
    ['that cannot be read', 'contacts', '{"dryRun":"yes"}', { answer: 'invalid', code: 400, message: expect.stringContaining('dryRun: expected boolean') as string }],
    ['for a paused connection', 'resting', '', { answer: 'paused', code: 423 }],
  ])('%s is answered so', async (_, id, body, expected) => {
    await rig.apply('contacts', manual)
    await rig.apply('resting', manual, { paused: true })
    await rig.startScheduler()
    expect(await rig.question(id, body)).toMatchObject(expected)
  })
})
