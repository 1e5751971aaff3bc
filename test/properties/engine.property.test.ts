/**
 * The engine under everything at once (SYNC.md §E.5): edits and deletes on both sides, weak and lying sides, lost answers,
 * lost state, crashes at any call. Every build plays other histories; SYNCLINE_DEEP=1: ten times as many, and longer ones.
 * A failure prints how to play it again: SYNCLINE_SEED with SYNCLINE_PATH, or SYNCLINE_REPLAY with the one history.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareWaived, told, type Tally } from './excuses.ts'
import { playSequence } from './play-sequence.ts'
import { lateSetups, pairedSetups, setups, type Setup } from './setup.ts'
import { sequences, type Step } from './steps.ts'

const deep = process.env['SYNCLINE_DEEP'] === '1'
const seed = process.env['SYNCLINE_SEED']
const path = process.env['SYNCLINE_PATH']
const replay = process.env['SYNCLINE_REPLAY']

const kinds: ReadonlyArray<readonly [kind: string, setups: fc.Arbitrary<Setup>, sequences: number]> = [
  ['a two-way flow', setups('two-way'), 1_000],
  ['a two-way flow that is remembered beside the rows', setups('beside'), 300],
  ['a two-way flow between rows, page by page', pairedSetups, 300],
  ['a one-way flow, spooled', setups('spooled'), 350],
  ['a one-way flow, streamed', setups('streamed'), 450],
  ['a two-way flow between sides that show writes late', lateSetups, 200],
]

/** Two fifths of what a one-way flow finds at its destination are that side's own. */
const mostWaived = 0.6

type History = [setup: Setup, steps: ReadonlyArray<Step>]

const report = (kind: string) => (run: fc.RunDetails<History>): void => {
  if (!run.failed) return
  const command = `npx vitest run test/properties/engine.property.test.ts -t '${kind}'`
  const again = run.counterexample === null ? '' : `SYNCLINE_REPLAY='${JSON.stringify(run.counterexample)}' ${command}`
  throw new Error([run.errorInstance instanceof Error ? (run.errorInstance.stack ?? run.errorInstance.message) : String(run.errorInstance),
    `after ${run.numRuns} histories; play it again with`, `SYNCLINE_SEED=${run.seed} SYNCLINE_PATH=${run.counterexamplePath ?? ''} ${command}`, again].join('\n'))
}

describe.each(replay === undefined ? kinds : [])('%s', (kind, setupsOfKind, count) => {
  it('loses nothing, doubles nothing, and comes to rest', { timeout: deep ? 7_200_000 : 900_000 }, async () => {
    const tally: Tally = new Map()
    await fc.assert(
      fc.asyncProperty(setupsOfKind, sequences(deep ? 40 : 20), (setup, steps) => playSequence(setup, steps, { tally })),
      { numRuns: deep ? count * 10 : count, reporter: report(kind), ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) },
    )
    // A check that is mostly waived proves nothing.
    if (seed === undefined) for (const check of tally.keys()) expect(shareWaived(tally, check), `${check}\n${told(tally)}`).toBeLessThan(mostWaived)
    if (deep) process.stdout.write(`${kind}\n${told(tally)}\n`)
  })
})

describe.each(replay === undefined ? [] : [replay])('the history in SYNCLINE_REPLAY', (text) => {
  it('loses nothing, doubles nothing, and comes to rest', async () => {
    const [setup, steps] = JSON.parse(text) as History
    await playSequence(setup, steps)
  })
})
