/** A checker that passes an engine without one of its safeties is worth nothing; one that accuses a whole engine even less. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check, type Verdict } from './checker/check.ts'
import { tell } from './checker/tell.ts'
import { controls, type Control } from './mutants.ts'
import { openBench, type Bench } from './mutants-bench.ts'

const driven = async (bench: Bench, { drive, stage: options = {} }: Control, without?: ReturnType<Control['without']>): Promise<Verdict> => {
  const stage = await bench.stage({ ...options, mutant: without })
  try {
    await drive(stage)
    return check(await stage.settle())
  } finally {
    await stage.close()
  }
}

describe.each(controls.map((control) => [control.safety, control] as const))('%s', (_safety, control) => {
  let bench: Bench
  beforeAll(async () => { bench = await openBench() })
  afterAll(() => bench.stop())

  it('holds in the engine as it is, and so does all the rest', async () => {
    const verdict = await driven(bench, control)
    expect(verdict.verdict, tell(verdict)).toBe('ok')
    for (const name of ['I1', 'I3', 'I4', ...control.caughtBy]) expect(verdict.invariants.find((one) => one.name === name)?.standing, tell(verdict)).toBe('holds')
  })

  it(`is found missing by ${control.caughtBy.join(' and ')} when it is taken away`, async () => {
    const verdict = await driven(bench, control, control.without())
    for (const name of control.caughtBy) expect(verdict.invariants.find((one) => one.name === name)?.standing, tell(verdict)).toBe('violated')
  })
})
