/** Knows how a start that cannot be is told: as a refusal of the command line, also through code that can only throw. */
import { E } from '#libs/fp.ts'
import { exitCodes } from '../exit-codes.ts'
import { refusal, type Refusal } from '../refusal.ts'

/** Somebody else has the folder or the port. */
export const busy = (message: string, mend: string): Refusal => refusal(exitCodes.busy, message, mend)
export const failed = (message: string, mend?: string): Refusal => refusal(exitCodes.failed, message, mend)
export const wrong = (message: string, mend?: string): Refusal => refusal(exitCodes.usage, message, mend)

export class NotUp extends Error {
  readonly refusal: Refusal
  constructor(why: Refusal) {
    super(why.message)
    this.refusal = why
  }
}

export const orThrow = <A>(either: E.Either<Refusal, A>): A => {
  if (E.isLeft(either)) throw new NotUp(either.left)
  return either.right
}
