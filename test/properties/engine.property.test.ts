/**
 * The engine under everything at once (SYNC.md §E.5). SYNCLINE_DEEP=1: ten times as many sequences. A failure prints its seed
 * and path: SYNCLINE_SEED and SYNCLINE_PATH play it again.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Command, carryOut, steps } from './commands.ts'
import { healAndCheck } from './heal.ts'
import { setups, type Way } from './setup.ts'
import { worldOf } from './world.ts'

const deep = process.env['SYNCLINE_DEEP'] === '1'
const seed = process.env['SYNCLINE_SEED']
const path = process.env['SYNCLINE_PATH']

describe.each<[Way, number]>([['two-way', 1_000], ['spooled', 400], ['streamed', 600]])('a %s flow', (way, sequences) => {
  it('loses nothing, doubles nothing, and comes to rest', { timeout: deep ? 900_000 : 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(setups(way), fc.commands([steps.map((step) => new Command(step))], { maxCommands: 24, size: 'max' }), async (setup, commands) => {
        await fc.asyncModelRun(() => {
          const world = worldOf(setup)
          return { model: world, real: world }
        }, [...commands, new Command({ do: 'quiesce' })])
      }),
      { numRuns: deep ? sequences * 10 : sequences, endOnFailure: false, ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) },
    )
  })
})
void carryOut
void healAndCheck
