/** Knows what an actor is: data, one pure decision and one way to carry effects out. mailbox.ts brings it to life. */
import type { TE } from '../fp.ts'
import type { Verdict } from './verdict.ts'

/** A pure step: what the actor becomes, and what it wants done. `now` in ms since the epoch. */
export type Decide<State, Message, Effect> = (
  state: State,
  message: Message,
  now: number,
) => { readonly next: State; readonly effects: ReadonlyArray<Effect> }

/** Carries out one effect. The only part of an actor that may touch the world. */
export type Perform<Effect, Failure> = (effect: Effect) => TE.TaskEither<Failure, void>

export type Actor<State, Message, Effect, Failure> = {
  readonly name: string
  readonly initial: State
  readonly decide: Decide<State, Message, Effect>
  /** The effects of one decision are performed in order; the first failure ends the turn. */
  readonly perform: Perform<Effect, Failure>
  /** Messages of one key take their turns one after the other, those of different keys side by side. */
  readonly keyOf: (message: Message) => string
  /** What a failed effect means for the message that caused it. */
  readonly verdictOf: (failure: Failure, message: Message) => Verdict
}
