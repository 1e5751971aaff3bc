/** One sequence of commands on a fresh world, ended by healing and the checks of a world at rest. */
import fc from 'fast-check'
import { Command, steps } from './commands.ts'
import { healAndCheck } from './heal.ts'
import type { Setup } from './setup.ts'
import { worldOf, type Mutant, type World } from './world.ts'

export const sequences = (maxCommands: number): fc.Arbitrary<Iterable<fc.AsyncCommand<World, World>>> =>
  fc.commands([steps.map((step) => new Command(step))], { maxCommands, size: 'max' })

export const playSequence = async (setup: Setup, commands: Iterable<fc.AsyncCommand<World, World>>, mutant?: Mutant): Promise<void> => {
  const world = worldOf(setup, mutant)
  await fc.asyncModelRun(() => ({ model: world, real: world }), commands)
  // The end is no command: a shrunk sequence is checked all the same.
  await healAndCheck(world)
}
