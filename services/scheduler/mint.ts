/** Makes the ids of new work. */
import { RunId } from '#libs/domain/ids.ts'
import type { Minted } from './admit.ts'
import type { World } from './ports.ts'

export const mint = ({ clock, random }: Pick<World, 'clock' | 'random'>): Minted => {
  const now = clock.now()
  const run = random.ulid(now)
  if (!RunId.is(run)) throw new Error(`"${run}" is not a ULID`)
  return { run, token: random.token(), now }
}
