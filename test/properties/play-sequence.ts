/** One sequence of steps on a fresh world, ended by healing and the checks of a world at rest. */
import type { Tally } from './excuses.ts'
import { healAndCheck } from './heal.ts'
import type { Setup } from './setup.ts'
import type { Step } from './steps.ts'
import { takeStep } from './take-step.ts'
import { worldOf, type Mutant } from './world.ts'

export const playSequence = async (setup: Setup, steps: ReadonlyArray<Step>, more: { readonly mutant?: Mutant; readonly tally?: Tally } = {}): Promise<void> => {
  const world = worldOf(setup, more)
  for (const step of steps) await takeStep(world, step)
  await healAndCheck(world)
}
