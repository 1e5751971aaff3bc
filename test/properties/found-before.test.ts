/** What random histories found once never comes back. */
import { describe, it } from 'vitest'
import { foundBefore } from './found-before.ts'
import { playSequence } from './play-sequence.ts'

describe('a history that found something once', () => {
  it.each(foundBefore.map(({ what, setup, steps }) => [what, setup, steps] as const))('%s', (_what, setup, steps) => playSequence(setup, steps))
})
