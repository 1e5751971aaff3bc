/** Negative controls (SYNC.md §F.6): a checker that passes an engine without one of its safeties is worth nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mutants } from './mutants.ts'
import { playSequence } from './play-sequence.ts'
import { lateSetups, setups } from './setup.ts'
import { sequences } from './steps.ts'

/** The worst is caught within a few hundred; the seed is fixed, so that a build does not fail by chance. */
const most = 3_000
const seed = 20_260_101

describe('an engine without one safety', () => {
  it.each(mutants.map(({ mutant, ...rest }) => [mutant().name, rest.caughtBy, mutant, rest] as const))('%s: caught by %s', { timeout: 600_000 }, async (_name, _by, mutant, { caughtBy, late }) => {
    const found = await fc.check(
      fc.asyncProperty(late === true ? lateSetups : setups(), sequences(24), (setup, steps) => playSequence(setup, steps, { mutant: mutant() })),
      { numRuns: most, seed, endOnFailure: true },
    )
    expect(found.failed, 'nothing was found').toBe(true)
    const cause = found.errorInstance
    expect(cause instanceof Error ? cause.message : String(cause)).toMatch(caughtBy)
  })
})
