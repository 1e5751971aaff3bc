/**
 * The engine under everything at once (SYNC.md §E.5): edits and deletes on both sides, weak and lying sides, lost answers,
 * lost state, crashes at any call. SYNCLINE_DEEP=1: ten times as many sequences, and longer ones. A failure prints its seed
 * and its path; SYNCLINE_SEED and SYNCLINE_PATH play it again.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { playSequence, sequences } from './play-sequence.ts'
import { lateSetups, setups, type Setup } from './setup.ts'

const deep = process.env['SYNCLINE_DEEP'] === '1'
const seed = process.env['SYNCLINE_SEED']
const path = process.env['SYNCLINE_PATH']
/** `npm test` plays the same sequences every time, so that a build does not fail by chance; deep runs go where none went. */
const everyTime = 20_261_121
const replay = { ...(seed !== undefined ? { seed: Number(seed) } : deep ? {} : { seed: everyTime }), ...(path === undefined ? {} : { path }) }

const kinds: ReadonlyArray<readonly [kind: string, setups: fc.Arbitrary<Setup>, sequences: number]> = [
  ['a two-way flow', setups('two-way'), 1_000],
  ['a one-way flow, spooled', setups('spooled'), 350],
  ['a one-way flow, streamed', setups('streamed'), 450],
  ['a two-way flow between sides that show writes late', lateSetups, 200],
]

describe.each(kinds)('%s', (_kind, setupsOfKind, count) => {
  it('loses nothing, doubles nothing, and comes to rest', { timeout: deep ? 1_200_000 : 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(setupsOfKind, sequences(deep ? 40 : 20), (setup, commands) => playSequence(setup, commands)),
      { numRuns: deep ? count * 10 : count, ...replay },
    )
  })
})
