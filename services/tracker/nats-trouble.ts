/** Knows what each failure of NATS means to the tracker. Does not know what was asked. */
import { describeNatsFailure } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { TE } from '#libs/fp.ts'
import type { Trouble } from './ports.ts'

export const troubleOf = (failure: NatsFailure): Trouble => {
  switch (failure.is) {
    case 'wrong-sequence':
    case 'write-in-flight':
      return { is: 'lost-race' }
    case 'denied':
    case 'too-large':
    case 'bad-message':
    case 'old-server':
      return { is: 'impossible', message: describeNatsFailure(failure) }
    default:
      return { is: 'unavailable', message: describeNatsFailure(failure) }
  }
}

/** The same port in the tracker's words. */
export const plain = TE.mapLeft(troubleOf)
