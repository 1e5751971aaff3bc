/** A frightening plan is held before its first write; an operator approves exactly this plan, and nobody else can. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { startHouse, type House } from '../support/house.ts'
import { patienceMs, until } from '../support/processes.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house.stop())

const say = async (subject: string, question: unknown): Promise<{ code: number; run?: string }> => {
  const answer = await ask(house.bus)(subject, new TextEncoder().encode(JSON.stringify(question)), { timeoutMs: patienceMs })()
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return JSON.parse(new TextDecoder().decode(answer.right.body)) as { code: number; run?: string }
}

/** The result comes before the work item is acked: for a moment the connection is still busy. */
const accepted = async (subject: string, question: unknown): Promise<{ run?: string }> => {
  let answer = await say(subject, question)
  await until('it is accepted', async () => answer.code === 202 || (answer = await say(subject, question)).code === 202)
  return answer
}

const after = async (answer: { run?: string }) => house.result(({ run }) => run === answer.run)

it('holds, refuses a stale approval, and runs the approved plan once', async () => {
  const a = house.store('held-a', { delta: false })
  const b = house.store('held-b', { delta: false })
  for (let n = 0; n < 100; n++) a.put({ key: `k${n}`, fields: { FN: `${n}` } })
  await house.apply({
    id: 'held', schedule: { kind: 'manual' },
    flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: 'held-a' }, destination: { provider: 'memory', store: 'held-b' } }],
  })
  expect((await after(await accepted(subjects.trigger('held'), {}))).outcome).toBe('succeeded')
  for (let n = 0; n < 60; n++) a.removeKey(`k${n}`)
  const held = await after(await accepted(subjects.trigger('held'), {}))
  expect(held).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'mass-delete' }] })
  expect(b.all()).toHaveLength(100)

  const plan = held.flows[0]?.plan
  a.removeKey('k60')
  const stale = await after(await accepted(subjects.operate('held'), { approve: plan }))
  expect(stale.outcome).toBe('held')
  const fresh = stale.flows[0]?.plan
  expect(fresh).not.toBe(plan)

  const sneaked = await after(await accepted(subjects.trigger('held'), { approve: fresh, approved: fresh }))
  expect(sneaked.outcome).toBe('held')
  await house.request('held', JSON.stringify({ approve: fresh, approved: fresh, run: undefined }))
  await house.result(({ conn, requestSeq, outcome }) => conn === 'held' && requestSeq !== undefined && outcome === 'held')
  expect(b.all()).toHaveLength(100)

  const approved = await after(await accepted(subjects.operate('held'), { approve: fresh }))
  expect(approved).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { deleted: 61 } }] })
  expect(b.all()).toHaveLength(39)
})
