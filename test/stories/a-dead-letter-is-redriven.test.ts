/** A source that stays down becomes a whole dead letter; mended and redriven, the connection succeeds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { publish } from '#libs/nats/publish.ts'
import { subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { startHouse, type House } from '../support/house.ts'
import { patienceMs, until } from '../support/processes.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house.stop())

const api = async (verb: string, question: unknown): Promise<Record<string, unknown>> => {
  const answer = await ask(house.bus)(subjects.api(verb), new TextEncoder().encode(JSON.stringify(question)), { timeoutMs: patienceMs })()
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return JSON.parse(new TextDecoder().decode(answer.right.body)) as Record<string, unknown>
}

type Row = { readonly seq: number; readonly conn?: string; readonly connection?: string }
const letters = async (conn: string): Promise<ReadonlyArray<Row>> => {
  const listed = await api('dlq-list', { connection: conn })
  const rows = Object.values(listed).find((value) => Array.isArray(value))
  return (rows ?? []) as ReadonlyArray<Row>
}

const applied = (id: string) => ({
  id, schedule: { kind: 'manual' }, maxAttempts: 2,
  flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: `${id}-a` }, destination: { provider: 'memory', store: `${id}-b` } }],
})

describe('a source that stays down', () => {
  it('is tried again, then kept whole as a dead letter, and succeeds when redriven after it was mended', async () => {
    const a = house.store('down-a')
    house.store('down-b')
    a.put({ key: 'k', fields: { FN: 'x' } })
    a.mischief.failReads = 1_000
    await house.apply(applied('down'))
    await house.request('down')
    const dead = await house.result(({ conn, outcome }) => conn === 'down' && outcome === 'dead')
    expect(dead.attempt).toBe(2)
    await until('the letter is listed', async () => (await letters('down')).length === 1)
    const seq = (await letters('down'))[0]?.seq ?? 0
    const letter = JSON.stringify(await api('dlq-show', { seq }))
    expect(letter).toContain('does not answer')
    expect(letter).toContain(dead.run)
    expect(letter.match(/"attempt":/g)?.length).toBeGreaterThanOrEqual(2)

    a.mischief.failReads = 0
    await api('dlq-redrive', { seq })
    const mended = await house.result(({ conn, outcome }) => conn === 'down' && outcome === 'succeeded')
    expect(mended.cause).toBe('redrive')
    await until('the letter is gone', async () => (await letters('down')).length === 0)
  })

  it('T55 a work item nobody can read is a dead letter once, and blocks nothing', async () => {
    house.store('odd-a')
    house.store('odd-b')
    await house.apply(applied('odd'))
    const stored = await publish(house.bus)(subjects.work('hot', 'odd' as ConnectionId), new TextEncoder().encode('{"no":"work item"'))()
    expect(E.isRight(stored)).toBe(true)
    await until('the letter is listed', async () => (await letters('odd')).length === 1)
    await house.request('odd')
    expect((await house.result(({ conn, cause }) => conn === 'odd' && cause === 'manual')).outcome).toBe('succeeded')
    expect(await letters('odd')).toHaveLength(1)
  })
})
