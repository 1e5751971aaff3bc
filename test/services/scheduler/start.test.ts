import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { systemClock } from '#libs/clock.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { Status } from '#libs/contracts/status.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { TriggerAnswer, type TriggerQuestion } from '#libs/contracts/trigger.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { slots } from '#libs/domain/slots.ts'
import type { E, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { consume } from '#libs/nats/consume.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { deleteMessage, getMessage, listMessages, purge, streamInfo } from '#libs/nats/stream-messages.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { start } from '../../../services/scheduler/start.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'

const manual: Schedule = { kind: 'manual' }
const daily: Schedule = { kind: 'interval', everyMs: 86_400_000 }
const text = (s: string) => new TextEncoder().encode(s)

let server: TestServer
let bus: Bus
let running: Array<RunningService> = []

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await right(provision(bus)({ streams: streamDefs as never, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})
beforeEach(async () => {
  for (const stream of ['SYNC_REQUESTS', 'SYNC_WORK', 'SYNC_RESULTS', 'SYNC_DEAD', 'KV_sync_connections', 'KV_sync_scheduler', 'KV_sync_status']) await right(purge(bus)(stream, '>'))
})
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()))
  running = []
})

const right = async <A>(effect: TE.TaskEither<unknown, A>): Promise<A> => {
  const result: E.Either<unknown, A> = await effect()
  if (result._tag === 'Left') throw new Error(JSON.stringify(result.left))
  return result.right
}
const startScheduler = async (): Promise<RunningService> => {
  const deps = { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom }
  const service = await start({ ticks: true, requestConcurrency: 8 }, deps)
  running.push(service)
  return service
}
const apply = (id: string, schedule: Schedule, more: Partial<Connection> = {}, appliedAt = Date.now()) =>
  right(openBucket(bus)('sync_connections').put(id, encode(ConnectionDocument, { connection: { id: id as ConnectionId, schedule, flows: [], ...more }, appliedAt })))
/** Asks the server again and again until it has what is awaited; the test's own time limit ends it. */
const until = async <A>(look: () => Promise<A | undefined>): Promise<A> => {
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    await right(bus.rtt) // a round trip, so that everything else moves on too
  }
}
const read = <A>(contract: Contract<A>, body: Uint8Array): A => {
  const decoded = decode(contract, body)
  if (decoded._tag === 'Left') throw new Error(decoded.left.report.join('\n'))
  return decoded.right
}
const last = async <A>(contract: Contract<A>, stream: string, subject: string) => {
  const message = await right(getMessage(bus)(stream, { lastBySubject: subject }))
  return message === undefined ? undefined : { ...read(contract, message.body), seq: message.seq, headers: message.headers }
}
const work = (id: string) => until(() => last(WorkItem, 'SYNC_WORK', `sync.work.hot.${id}`))
const skipped = (id: string) => until(() => last(RunResult, 'SYNC_RESULTS', `sync.result.${id}.skipped`))
const request = (id: string, body = '', headers = {}) => right(publish(bus)(`sync.request.${id}`, text(body), { headers }))
const question = async (id: string, body: string | TriggerQuestion = ''): Promise<TriggerAnswer> => {
  const { body: answer } = await right(ask(bus)(`sync.trigger.${id}`, text(typeof body === 'string' ? body : JSON.stringify(body)), { timeoutMs: 5_000 }))
  return read(TriggerAnswer, answer)
}
const waiting = async () => (await right(streamInfo(bus)('SYNC_REQUESTS'))).messages

describe('a connection put into the bucket', () => {
  it('gets its first work item at once, with a trace of its own', async () => {
    await startScheduler()
    await apply('contacts', daily)
    const item = await work('contacts')
    expect(item).toMatchObject({ conn: 'contacts', cause: 'first', lane: 'hot' })
    expect(item.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(item.headers['Syncline-Schema']).toBe('work-item.1')
  })

  it('is not told first again by the next start', async () => {
    const first = await startScheduler()
    await apply('contacts', daily)
    const { seq } = await work('contacts')
    await right(deleteMessage(bus)('SYNC_WORK', seq))
    await first.stop()
    await startScheduler()
    await request('contacts')
    expect(await work('contacts')).toMatchObject({ cause: 'manual' })
  })

  it('keeps its last good document when an unreadable one follows', async () => {
    await startScheduler()
    await apply('contacts', manual)
    await right(openBucket(bus)('sync_connections').put('contacts', text('{"connection":')))
    expect(await question('contacts')).toMatchObject({ answer: 'accepted' })
  })
})

describe('a request', () => {
  it('with an empty body becomes work that continues the asker\'s trace', async () => {
    await apply('contacts', manual)
    await startScheduler()
    const { seq } = await request('contacts', '', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
    const item = await work('contacts')
    expect(item).toMatchObject({ cause: 'manual', requestSeq: seq })
    expect(item.headers).toMatchObject({ 'Nats-Msg-Id': `req:${seq}`, traceparent: expect.stringContaining('a'.repeat(32)) as string })
    await until(async () => ((await waiting()) === 0 ? true : undefined))
  })

  it('waits for its time', async () => {
    await apply('contacts', manual)
    await startScheduler()
    const notBefore = Date.now() + 400
    await request('contacts', JSON.stringify({ notBefore }))
    expect((await work('contacts')).askedAt).toBeGreaterThanOrEqual(notBefore)
  })

  it('is kept while its connection is busy, and served by a run that began after it', async () => {
    await apply('contacts', manual)
    await startScheduler()
    expect((await question('contacts')).answer).toBe('accepted')
    const [plain, full] = [await request('contacts'), await request('contacts', '{"mode":"full"}')]
    const lastRun = { run: 'R', outcome: 'succeeded' as const, startedAt: Date.now() + 60_000, finishedAt: Date.now() + 60_001 }
    await right(openBucket(bus)('sync_status').put('contacts', encode(Status, { conn: 'contacts' as ConnectionId, state: 'idle', fence: 1, parked: 0, hasSyncToken: false, updatedAt: 1, lastRun })))
    expect(await skipped('contacts')).toMatchObject({ run: `req:${plain.seq}`, requestSeq: plain.seq, reason: expect.stringContaining('run R') as string })
    await right(deleteMessage(bus)('SYNC_WORK', (await work('contacts')).seq))
    expect(await work('contacts')).toMatchObject({ mode: 'full', requestSeq: full.seq })
  })

  it.each([
    ['nonsense', 'contacts', '{"mode":"sideways"}', 'mode: expected'],
    ['bytes that are no text', 'contacts', '\uD800{', 'not JSON'],
    ['an impossible time', 'contacts', '{"notBefore":"soon"}', 'notBefore: expected'],
    ['a connection nobody applied', 'strangers', '', 'no connection is called "strangers"'],
  ])('that is %s ends as a whole dead letter', async (_, id, body, why) => {
    await apply('contacts', manual)
    await startScheduler()
    const { seq } = await request(id, body)
    const letter = await until(() => last(DeadLetter, 'SYNC_DEAD', `sync.dead.${id}`))
    expect(letter).toMatchObject({ conn: id, stream: 'SYNC_REQUESTS', seq: expect.any(Number) as number, writtenBy: 'scheduler', why: expect.stringContaining(why) as string })
    expect(letter.headers['Nats-Msg-Id']).toBe(`dlq:SYNC_REQUESTS:${seq}`)
    await until(async () => ((await waiting()) === 0 ? true : undefined))
  })
})

describe('a question', () => {
  it('is accepted with a run id, and then told what is queued', async () => {
    await apply('contacts', manual)
    await startScheduler()
    const accepted = await question('contacts', { dryRun: true })
    expect(accepted).toMatchObject({ answer: 'accepted', code: 202, run: expect.stringMatching(/^[0-9A-Z]{26}$/) as string })
    expect(await work('contacts')).toMatchObject({ run: accepted.run, dryRun: true, cause: 'manual' })
    expect(await question('contacts')).toMatchObject({ answer: 'already-running', code: 409, run: accepted.run, state: 'queued' })
  })

  it('may queue one more run behind the one that is going', async () => {
    await apply('contacts', manual)
    await startScheduler()
    const [first, second] = [await question('contacts'), await question('contacts', { ifRunning: 'queue' })]
    expect(second).toMatchObject({ answer: 'queued', code: 202 })
    await right(deleteMessage(bus)('SYNC_WORK', (await work('contacts')).seq))
    expect((await work('contacts')).run).toBe(second.run)
    expect(first.run).not.toBe(second.run)
  })

  it.each([
    ['for a connection nobody applied', 'strangers', '', { answer: 'unknown', code: 404, message: expect.stringContaining('strangers') as string }],
    ['that cannot be read', 'contacts', '{"dryRun":"yes"}', { answer: 'invalid', code: 400, message: expect.stringContaining('dryRun: expected boolean') as string }],
    ['for a paused connection', 'resting', '', { answer: 'paused', code: 423 }],
  ])('%s is answered so', async (_, id, body, expected) => {
    await apply('contacts', manual)
    await apply('resting', manual, { paused: true })
    await startScheduler()
    expect(await question(id, body)).toMatchObject(expected)
  })
})

describe('schedules at work', () => {
  const often: Schedule = { kind: 'interval', everyMs: 250, jitterMs: 100 }
  /** A worker that does everything at once; answers the slots it was given. */
  const quickWorker = () => {
    const ticks: Array<number> = []
    const consumption = consume(bus, {
      stream: 'SYNC_WORK', consumer: 'worker-hot', concurrency: 8, onError: () => undefined,
      handle: async ({ body }) => {
        const { slot } = read(WorkItem, body)
        if (slot !== undefined) ticks.push(slot)
        return { is: 'done' }
      },
    })
    running.push({ name: 'worker', stop: consumption.stop, abort: consumption.stop })
    return ticks
  }
  const skips = async () => (await right(listMessages(bus)('SYNC_RESULTS', { filterSubject: 'sync.result.>', limit: 1_000 }))).map(({ body }) => read(RunResult, body))

  it('two schedulers say each slot once, and a restart goes on from the watermark', async () => {
    const ticks = quickWorker()
    const from = Date.now()
    await apply('often', often)
    const both = [await startScheduler(), await startScheduler()]
    await until(async () => (ticks.length >= 4 ? true : undefined))
    await Promise.all(both.map((service) => service.stop()))
    const before = ticks.length
    await startScheduler()
    await until(async () => (ticks.length >= before + 3 ? true : undefined))
    expect(new Set(ticks).size).toBe(ticks.length)
    const skippedSlots = (await skips()).map(({ slot }) => slot ?? 0)
    // The first slots belong to the time before the connection was known
    const owed = slots(often, 'often' as ConnectionId, from + 500, Date.now()).map(({ slot }) => slot).filter((slot) => slot <= Math.max(...ticks))
    expect([...ticks, ...skippedSlots]).toEqual(expect.arrayContaining(owed))
  })

  it('a busy connection has its slots recorded as coalesced, a paused one as paused, until it is resumed', async () => {
    await startScheduler()
    await apply('often', often)
    const blocking = await work('often')
    expect(await skipped('often')).toMatchObject({ outcome: 'skipped', cause: 'tick', quiet: true, reason: expect.stringContaining('coalesced') as string })
    await apply('often', often, { paused: true })
    await until(async () => ((await skipped('often')).reason === 'paused' ? true : undefined))
    await right(deleteMessage(bus)('SYNC_WORK', blocking.seq))
    await apply('often', often)
    expect(await work('often')).toMatchObject({ cause: 'tick' })
  })

  it('a deleted connection has no more slots', async () => {
    await startScheduler()
    await apply('often', often)
    await work('often')
    await right(openBucket(bus)('sync_connections').delete('often'))
    await until(async () => ((await question('often')).code === 404 ? true : undefined))
    const { lastSeq } = await right(streamInfo(bus)('SYNC_RESULTS'))
    await request('often')
    await until(() => last(DeadLetter, 'SYNC_DEAD', 'sync.dead.often'))
    expect((await right(streamInfo(bus)('SYNC_RESULTS'))).lastSeq).toBeLessThanOrEqual(lastSeq + 1)
  })
})
