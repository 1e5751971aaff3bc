/** Knows how long a store may take before its asker is given safe defaults instead (R 8.14). Does not know the defaults. */
import type { Clock } from '#libs/clock.ts'
import { E } from '#libs/fp.ts'
import type { Trouble } from './ports.ts'
import { describe } from './refusals.ts'

const patienceMs = 3_000

export const inTime = async <A>(clock: Pick<Clock, 'sleep'>, reading: Promise<E.Either<Trouble, A>>): Promise<E.Either<Trouble, A>> => {
  const enough = new AbortController()
  const late = clock.sleep(patienceMs, enough.signal).then(() => E.left<Trouble>({ is: 'unavailable', message: `no answer within ${patienceMs / 1_000} s` }))
  const first = await Promise.race([reading, late])
  enough.abort()
  return first
}

export const noteOf = (what: string, trouble: Trouble): string => `${what} could not be read (${describe(trouble)}); these are defaults`
