/** Knows how trouble with a store is told to whoever asked. */
import type { Trouble } from './ports.ts'
import { refusal } from './question.ts'
import type { Refusal } from './question.ts'

export const notNow = (what: string, trouble: Trouble): Refusal =>
  trouble.is === 'impossible'
    ? refusal(500, 'impossible', `${what}: ${trouble.message}`, 'look into the tracker’s log')
    : refusal(503, 'unavailable', `${what} cannot be reached: ${describe(trouble)}`, 'ask again in a moment')

export const describe = (trouble: Trouble): string =>
  trouble.is === 'lost-race' ? 'somebody else wrote at the same time' : trouble.message
