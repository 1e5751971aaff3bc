/**
 * A worker that was overtaken and whose clock did not notice, because it stood still with the machine: its deadline does not
 * stop it, and its writes still carry preconditions that hold. What it read before must not win over what its successor did.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/processes.ts'
import { check } from './checker/check.ts'
import { tell } from './checker/tell.ts'
import { openBench, type Bench, type Stage } from './mutants-bench.ts'

let bench: Bench
beforeAll(async () => { bench = await openBench() })
afterAll(() => bench.stop())

/** Both sides hold k1 = w1-1 and k2 = w1-2; the user then made k1 = w1-11 at A. */
const edited = async (): Promise<Stage> => {
  const stage = await bench.stage({})
  for (const key of ['k1', 'k2']) stage.edit('A', key, `w1-${key.slice(1)}`)
  await (await stage.worker('first')).play()
  stage.edit('A', 'k1', 'w1-11')
  return stage
}

const shown = (stage: Stage) => (['A', 'B'] as const).map((side) => stage.side(side).all().find(({ key }) => key === 'k1')?.fields['note'])

const isWhole = async (stage: Stage): Promise<void> => {
  const verdict = check(await stage.settle())
  await stage.close()
  expect(verdict.verdict, tell(verdict)).toBe('ok')
}

describe('a worker that is overtaken without noticing', () => {
  it('between its look and its write: the refused write is not decided again, for the item was moved by its successor', async () => {
    const stage = await edited()
    const [zombie, next] = [await stage.worker('zombie'), await stage.worker('next')]
    const gate = stage.gate(({ worker, verb }) => worker === 'zombie' && verb === 'UPDATE')
    const late = zombie.play()
    await gate.reached
    stage.edit('A', 'k1', 'w1-12')
    await stage.lapse()
    await next.play()
    gate.open()
    expect((await late).judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(shown(stage)).toEqual(['w1-12', 'w1-12'])
    await isWhole(stage)
  })

  it('between its look and its links: links that are younger than its lease are not compared with an older look', async () => {
    const stage = await edited()
    await (await stage.worker('second')).play() // B's next delta tells of this
    stage.edit('A', 'k1', 'w1-12')
    const [zombie, next] = [await stage.worker('zombie'), await stage.worker('next')]
    const gate = stage.gate(({ worker, verb, collection }) => worker === 'zombie' && verb === 'DELTA' && collection === stage.name('A'))
    const late = zombie.play()
    await gate.reached
    await until('the zombie has read side B', () => stage.sandbox.remotes.some(({ worker, side, answered }) => worker === 'zombie' && side === 'B' && answered !== undefined), 200_000)
    await stage.lapse()
    await next.play()
    gate.open()
    expect((await late).judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(shown(stage)).toEqual(['w1-12', 'w1-12'])
    await isWhole(stage)
  })
})
