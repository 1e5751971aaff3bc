/**
 * T57: a hundred dead letters are redriven while each of their connections has work already, queued or running. Every
 * connection runs for its letter too, none of them twice at a time, and nothing is lost.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Connector, Side } from '#libs/connectors/connector.ts'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import { E, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { startHouse, type House } from '../support/house.ts'
import { patienceMs, until } from '../support/processes.ts'

const ids = Array.from({ length: 100 }, (_, n) => `c${n}`)

/** While it is shut every reading of a source waits here; how many of one connection wait or read at once is counted. */
const gate = { shut: false, opened: Promise.withResolvers<void>() }
const reading = new Map<string, number>()
let most = 0
const stores = new Map<string, MemoryStore>()
const storeOf = (name: string): MemoryStore => {
  const store = stores.get(name) ?? memoryStore(name)
  stores.set(name, store)
  return store
}
const counted = (conn: string, side: Side): Side => ({
  ...side,
  read: (asked) => async () => {
    reading.set(conn, (reading.get(conn) ?? 0) + 1)
    most = Math.max(most, reading.get(conn) ?? 0)
    if (gate.shut) await gate.opened.promise
    const reader = await side.read(asked)()
    reading.set(conn, (reading.get(conn) ?? 0) - 1)
    return reader
  },
})
const connector: Connector = {
  provider: 'counted', validate: () => [],
  open: ({ role, connection }) => TE.right(role === 'source' ? counted(connection, memorySide(storeOf(`${connection}-a`))) : memorySide(storeOf(`${connection}-b`))),
}

let house: House
beforeAll(async () => {
  house = await startHouse({ connectors: new Map([['counted', connector]]), workers: 2 })
})
afterAll(() => house.stop())

const api = async (verb: string, question: unknown): Promise<Record<string, unknown>> => {
  const answer = await ask(house.bus)(subjects.api(verb), new TextEncoder().encode(JSON.stringify(question)), { timeoutMs: patienceMs })()
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return JSON.parse(new TextDecoder().decode(answer.right.body)) as Record<string, unknown>
}
const letters = async (): Promise<number> => (await house.bus.jsm.streams.info(streams.dead)).state.messages
const seqsOf = async (conn: string): Promise<ReadonlyArray<number>> => {
  const rows = Object.values(await api('dlq-list', { connection: conn })).find((value) => Array.isArray(value)) ?? []
  return (rows as ReadonlyArray<{ readonly seq: number }>).map(({ seq }) => seq)
}
const connsOf = (cause: string): ReadonlyArray<string> => house.results.flatMap((result) => (result.cause === cause && result.outcome === 'succeeded' ? [result.conn] : [])).toSorted()

it('T57 a hundred connections run for their letters, one run at a time each, and every record arrives', async () => {
  for (const id of ids) {
    const a = storeOf(`${id}-a`)
    a.put({ key: 'early', fields: { FN: id } })
    a.mischief.failReads = 1
    await house.apply({ id, schedule: { kind: 'manual' }, maxAttempts: 1, flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'counted', store: 'a' }, destination: { provider: 'counted', store: 'b' } }] })
    await house.request(id)
  }
  await until('a hundred letters', async () => (await letters()) === ids.length)
  const seqs = (await Promise.all(ids.map(seqsOf))).flat()
  expect(seqs).toHaveLength(ids.length)

  // Live work of every connection, which cannot end yet.
  gate.shut = true
  await Promise.all(ids.map((id) => house.request(id)))
  await until('live work of each', () => ids.every((id) => reading.get(id) === 1))
  for (const id of ids) storeOf(`${id}-a`).put({ key: 'late', fields: { FN: id } })
  await Promise.all(seqs.map((seq) => api('dlq-redrive', { seq })))
  gate.shut = false
  gate.opened.resolve()

  await until('each has run for its letter', () => connsOf('redrive').length === ids.length)
  expect(connsOf('redrive')).toEqual(ids.toSorted())
  expect(connsOf('manual')).toEqual(ids.toSorted())
  expect(most).toBe(1)
  for (const id of ids) expect(storeOf(`${id}-b`).all().map(({ key }) => key).toSorted()).toEqual(['early', 'late'])
  await until('no letter is left', async () => (await letters()) === 0)
  await until('the queues are empty', async () => (await Promise.all([streams.work, streams.requests].map(async (name) => (await house.bus.jsm.streams.info(name)).state.messages))).every((n) => n === 0))
  expect(house.results.filter(({ outcome }) => outcome === 'dead')).toHaveLength(ids.length)
})
