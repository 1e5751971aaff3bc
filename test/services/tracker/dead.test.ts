import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import { AuditRecord } from '#libs/contracts/audit.ts'
import { decode, type Contract } from '#libs/contracts/decode.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { durables, messageIds, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { ask } from '#libs/nats/ask.ts'
import { consume } from '#libs/nats/consume.ts'
import type { Consumption } from '#libs/nats/consume.ts'
import { consumerInfo, listMessages, purge, streamInfo } from '#libs/nats/stream-messages.ts'
import type { Ack } from '#libs/nats/verdict-to-ack.ts'
import { bytes, left, right, text, until } from '../../libs/nats/right.ts'
import { rig } from './rig.ts'
import type { Rig } from './rig.ts'
import { conn, result, runId } from './samples.ts'

/** Workers of these tests get a message twice, 200 ms each. */
const ackWaitMs = 200
let r: Rig
let workers: Consumption | undefined
const acks = new Map<string, (body: Uint8Array) => Promise<Ack>>()
beforeAll(async () => {
  r = await rig({ ackWaitMs, maxDeliver: 2 })
  await r.tracker()
})
afterAll(async () => {
  await workers?.stop()
  await r.stop()
})

/** A worker that leaves everything lying, unless a test says otherwise for the connection. */
const work = (): void => {
  workers ??= consume(r.bus, {
    stream: streams.work, consumer: durables.work('hot'), concurrency: 10, expiresMs: 1_000, onError: () => undefined,
    handle: ({ subject, body }) => acks.get(subject)?.(body) ?? Promise.resolve({ is: 'leave' }),
  })
}

const item = (id: string, n: number): WorkItem => ({ conn: conn(id), run: runId(n), trigger: `t${n}`, cause: 'manual', lane: 'hot', revision: 1, askedAt: n * 10_000, mode: 'full' })
const order = (id: string, n: number) => r.say(subjects.work('hot', conn(id)), WorkItem, item(id, n))
const letters = (id: string) => right(listMessages(r.bus)(streams.dead, { filterSubject: subjects.dead(id), limit: 100 }))
const decodedAs = async <A>(contract: Contract<A>, stream: string, subject: string): Promise<ReadonlyArray<A>> =>
  (await right(listMessages(r.bus)(stream, { filterSubject: subject, limit: 100 }))).flatMap(({ body }) => {
    const one = decode(contract, body)
    return one._tag === 'Right' ? [one.right] : []
  })
const requestsOf = (id: string) => decodedAs(SyncRequest, streams.requests, subjects.request(conn(id)))
const audited = (id: string) => decodedAs(AuditRecord, streams.audit, subjects.audit(id))
/** The tracker hears of it by a watch. */
const applied = async (...ids: ReadonlyArray<string>) => {
  for (const id of ids) await r.apply(id)
  await until(async () => {
    const told = JSON.stringify(await api('status'))
    return ids.every((id) => told.includes(`"${id}"`))
  })
}
const stored = async () => (await right(streamInfo(r.bus)(streams.work))).messages
const api = async (verb: string, question: object = {}) => JSON.parse(text((await right(ask(r.bus)(`sync.api.${verb}`, bytes(JSON.stringify(question)), { timeoutMs: 3_000 }))).body) ?? '') as { dead: ReadonlyArray<{ seq: number; type: string; why: string }> } & Record<string, unknown>
const refused = (verb: string, question: object) => left(ask(r.bus)(`sync.api.${verb}`, bytes(JSON.stringify(question)), { timeoutMs: 3_000 }))
const letter = (id: string, seq: number): DeadLetter => ({ conn: id, stream: streams.work, seq, body: JSON.stringify(item(id, 1)), headers: {}, attempts: [], at: 1, why: 'the worker said so', writtenBy: 'worker', run: runId(1) })

describe('a work item that no worker ever acknowledges', () => {
  it('becomes a whole dead letter, its run ends as dead, and its place is free again', async () => {
    await r.apply('poison')
    const seq = await order('poison', 1)
    work()
    await until(async () => (await r.status('poison'))?.lastRun?.outcome === 'dead')
    await until(async () => (await stored()) === 0)
    const [only, ...more] = (await letters('poison')).map(({ body }) => decode(DeadLetter, body))
    expect(more).toEqual([])
    expect(only).toMatchObject({ right: { conn: 'poison', stream: streams.work, seq, run: runId(1), writtenBy: 'tracker', attempts: [{ attempt: 2 }] } })
    expect(await r.status('poison')).toMatchObject({ state: 'error', lastRun: { run: runId(1) } })
    await until(() => r.alerts.some(({ kind, conn: about }) => kind === 'dead-letter' && about === 'poison'))
    acks.set('sync.work.hot.poison', () => Promise.resolve({ is: 'done' }))
    await order('poison', 2)
    await until(async () => (await stored()) === 0)
  })
  it('is only taken out of the way when its run had ended well', async () => {
    await r.sayResult(result(41, { conn: conn('done') }))
    await r.recorded('done', runId(41))
    await order('done', 41)
    await until(async () => (await stored()) === 0)
    expect(await letters('done')).toEqual([])
    expect(await r.status('done')).toMatchObject({ state: 'idle' })
  })
  it('has one letter when the worker wrote it and then died', async () => {
    acks.set('sync.work.hot.wrote', async () => {
      const last = (await right(listMessages(r.bus)(streams.work, { filterSubject: 'sync.work.hot.wrote', limit: 1 })))[0]
      if (last !== undefined) await r.say(subjects.dead('wrote'), DeadLetter, letter('wrote', last.seq), messageIds.dead(streams.work, last.seq))
      return { is: 'leave' }
    })
    await order('wrote', 31)
    await until(async () => (await r.status('wrote'))?.lastRun?.outcome === 'dead')
    await until(async () => (await stored()) === 0)
    expect((await letters('wrote')).map(({ body }) => decode(DeadLetter, body))).toMatchObject([{ right: { writtenBy: 'worker' } }])
  })
})

describe('a work item that a worker terminated', () => {
  it('without a letter raises an alert; with one it does not', async () => {
    acks.set('sync.work.hot.term', () => Promise.resolve({ is: 'terminate', reason: 'hopeless' }))
    acks.set('sync.work.hot.term-2', async () => {
      const last = (await right(listMessages(r.bus)(streams.work, { filterSubject: 'sync.work.hot.term-2', limit: 1 })))[0]
      await r.say(subjects.dead('term-2'), DeadLetter, letter('term-2', last?.seq ?? 0), messageIds.dead(streams.work, last?.seq ?? 0))
      return { is: 'terminate', reason: 'hopeless' }
    })
    const kept = await order('term-2', 1)
    const lost = await order('term', 1)
    const missing = () => r.alerts.filter(({ kind }) => kind === 'dead-letter-missing').map(({ seq }) => seq)
    await until(() => missing().includes(lost))
    expect(missing()).not.toContain(kept)
  })
})

describe('a work item whose advisory got lost', () => {
  it('is found by the sweeper', async () => {
    const other = await rig({ ackWaitMs, maxDeliver: 2 })
    try {
      const seq = await other.say(subjects.work('cold', conn('lost')), WorkItem, { ...item('lost', 1), lane: 'cold' })
      const worker = consume(other.bus, { stream: streams.work, consumer: durables.work('cold'), concurrency: 5, expiresMs: 1_000, onError: () => undefined, handle: () => Promise.resolve({ is: 'leave' }) })
      await until(async () => (await right(streamInfo(other.bus)(streams.advisories))).messages === 1)
      await right(purge(other.bus)(streams.advisories, '>'))
      expect((await right(consumerInfo(other.bus)(streams.work, durables.work('cold')))).ackPending).toBe(0)
      await other.tracker({ sweepEveryMs: 50, workAckWaitMs: ackWaitMs })
      await until(async () => (await other.status('lost'))?.lastRun?.outcome === 'dead')
      await until(async () => (await right(streamInfo(other.bus)(streams.work))).messages === 0)
      const found = await right(listMessages(other.bus)(streams.dead, { filterSubject: subjects.deads, limit: 10 }))
      expect(found.map(({ body }) => decode(DeadLetter, body))).toMatchObject([{ right: { seq, why: expect.stringContaining('sweeper') as string } }])
      await worker.stop()
    } finally {
      await other.stop()
    }
  })
})

describe('what was given up on', () => {
  const park = (id: string): Promise<number> =>
    r.say(subjects.dead(id), ParkedRecord, { conn: id, flow: 'main', run: runId(1), key: 'card-1', side: 'source', why: 'no name', at: 1 })

  it('is listed by connection and type, page by page, and shown whole', async () => {
    const seqs = [await r.say(subjects.dead('list'), DeadLetter, letter('list', 101)), await park('list'), await r.say(subjects.dead('list'), DeadLetter, letter('list', 102))]
    expect((await api('dlq-list.list')).dead.map(({ seq, type }) => [seq, type])).toEqual([[seqs[0], 'dead-letter'], [seqs[1], 'parked-record'], [seqs[2], 'dead-letter']])
    expect((await api('dlq-list.list', { type: 'parked-record' })).dead.map(({ seq }) => seq)).toEqual([seqs[1]])
    expect((await api('dlq-list.list', { limit: 1, after: seqs[0] })).dead.map(({ seq }) => seq)).toEqual([seqs[1]])
    expect(await api('dlq-show', { seq: seqs[0] })).toMatchObject({ seq: seqs[0], letter: { seq: 101, why: 'the worker said so' } })
    expect(await api('dlq-show', { seq: seqs[1] })).toMatchObject({ type: 'parked-record', record: { key: 'card-1' } })
    expect(await refused('dlq-show', { seq: 999_999 })).toMatchObject({ code: 404 })
    expect(await refused('dlq-show', {})).toMatchObject({ code: 400 })
  })
  it('is redriven as a request of the same mode, and only then removed', async () => {
    await r.apply('again')
    const seq = await r.say(subjects.dead('again'), DeadLetter, letter('again', 103))
    const answer = await api('dlq-redrive', { seq, reason: 'mended' })
    expect(answer).toMatchObject({ redriven: seq, connection: 'again' })
    const [request] = await right(listMessages(r.bus)(streams.requests, { filterSubject: subjects.request(conn('again')), limit: 5 }))
    expect(decode(SyncRequest, request?.body ?? bytes(''))).toMatchObject({ right: { cause: 'redrive', redriveOf: seq, mode: 'full', run: answer['run'], reason: 'mended' } })
    expect(await letters('again')).toEqual([])
    expect(await refused('dlq-redrive', { seq })).toMatchObject({ code: 404 })
  })
  it('is redriven once by two who do so at once, and the other is told', async () => {
    await applied('twice')
    const seq = await r.say(subjects.dead('twice'), DeadLetter, letter('twice', 110))
    const answers = await Promise.allSettled([api('dlq-redrive', { seq }), api('dlq-redrive', { seq }), api('dlq-redrive', { seq })])
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await requestsOf('twice')).toMatchObject([{ redriveOf: seq }])
    expect(await letters('twice')).toEqual([])
  })
  it('is redriven by many: one run for each connection and wish, and the rest is named with its reason', async () => {
    await applied('many', 'much')
    const [a, b, c] = [await park('many'), await park('many'), await r.say(subjects.dead('much'), DeadLetter, letter('much', 111))]
    const gone = await park('nowhere')
    const answer = await api('dlq-redrive', { seqs: [a, b, c, gone, 999_999], reason: 'all mended', by: 'ada' })
    expect(answer).toMatchObject({ runs: [{ connection: 'many', redriven: [a, b] }, { connection: 'much', redriven: [c] }], refused: [{ seqs: [999_999], code: 404 }, { seqs: [gone], code: 404, name: 'unknown-connection' }] })
    expect(await requestsOf('many')).toMatchObject([{ redriveOf: a, mode: 'full', reason: 'all mended' }])
    expect([await letters('many'), await letters('much'), (await letters('nowhere')).length]).toEqual([[], [], 1])
    expect(await audited('many')).toMatchObject([{ act: 'redrive', by: 'ada', reason: 'all mended', count: 2, seq: a }])
    expect(await refused('dlq-redrive', { seqs: [] })).toMatchObject({ code: 400 })
  })
  it('is edited: the message stays as it came, what was asked for before is kept, and the redrive asks for the new', async () => {
    await applied('edited')
    const seq = await r.say(subjects.dead('edited'), DeadLetter, letter('edited', 112))
    expect(await api('dlq-show', { seq })).toMatchObject({ request: { mode: 'full' } })
    const answer = await api('dlq-edit', { seq, request: { mode: 'auto', reason: 'a delta will do' }, reason: 'too long', by: 'ada' })
    const edited = Number(answer['seq'])
    expect(answer).toMatchObject({ edited: seq, connection: 'edited', request: { mode: 'auto' } })
    expect(await decodedAs(DeadLetter, streams.dead, subjects.dead('edited'))).toMatchObject([{ body: letter('edited', 112).body, request: { mode: 'auto' }, edits: [{ was: { mode: 'full' }, by: 'ada', reason: 'too long' }] }])
    expect(await refused('dlq-show', { seq })).toMatchObject({ code: 404 })
    await api('dlq-redrive', { seq: edited })
    expect(await requestsOf('edited')).toMatchObject([{ mode: 'auto', reason: 'a delta will do', redriveOf: edited }])
    expect((await audited('edited')).map(({ act }) => act)).toEqual(['edit', 'redrive'])
  })
  it.each([
    [{ mode: 'everything' }, 'mode: expected'], [{ run: 'x' }, 'run: cannot be asked for; these can: mode, dryRun, notBefore, reason'], [{ notBefore: 'soon' }, 'notBefore: expected ms'], ['full', 'expected an object'], [undefined, 'expected an object'],
  ])('is not edited to ask for %j', async (request, why) => {
    const seq = await r.say(subjects.dead('badly'), DeadLetter, letter('badly', 113))
    const answer = await refused('dlq-edit', { seq, request })
    expect(answer).toMatchObject({ code: 400, message: expect.stringContaining(why) as string })
    expect(await letters('badly')).not.toEqual([])
  })
  it('is not edited where there is no request in it', async () => {
    expect(await refused('dlq-edit', { seq: await park('plain'), request: {} })).toMatchObject({ code: 400, message: expect.stringContaining('mend the item at its side') as string })
  })
  it('is not redriven for a connection that is gone or paused', async () => {
    await r.apply('asleep', true)
    await until(async () => (await api('status')).connections !== undefined && JSON.stringify(await api('status')).includes('asleep'))
    expect(await refused('dlq-redrive', { seq: await park('asleep') })).toMatchObject({ code: 423 })
    expect(await refused('dlq-redrive', { seq: await park('gone') })).toMatchObject({ code: 404 })
    expect(await letters('gone')).toHaveLength(1)
  })
  it('is discarded with a reason only, which is told', async () => {
    const seq = await park('away')
    expect(await refused('dlq-discard', { seq })).toMatchObject({ code: 400 })
    expect(await api('dlq-discard', { seq, reason: 'not needed' })).toMatchObject({ discarded: seq })
    expect(await letters('away')).toEqual([])
    await until(() => r.alerts.some(({ kind, seq: about, reason }) => kind === 'discarded' && about === seq && reason === 'not needed'))
  })
})
