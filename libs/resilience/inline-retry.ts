/**
 * Knows how one call is tried again inside a run: at most 3 tries, full jitter from 200 ms up to 5 s, and only where the
 * failure's table says `inline` (SYNC.md §D.1 INL). Does not know what is called.
 */
import type { Clock } from '../clock.ts'
import { E, type TE } from '../fp.ts'
import type { Random } from '../random.ts'
import { fullJitterMs, inlineBackoff } from './backoff.ts'
import type { Treatment } from './call.ts'

const mostTries = 3

export type InlineRetry<F> = {
  readonly clock: Pick<Clock, 'sleep'>
  readonly random: Pick<Random, 'next'>
  /** Ends the waiting; the call's own signal is the caller's business. */
  readonly signal: AbortSignal
  readonly treat: (failure: F) => Pick<Treatment, 'action' | 'wait'>
}

/** The last failure when none of the tries went well. */
export const inlineRetry = <F, A>({ clock, random, signal, treat }: InlineRetry<F>, call: TE.TaskEither<F, A>): TE.TaskEither<F, A> => async () => {
  for (let tries = 1; ; tries++) {
    const answer = await call()
    if (E.isRight(answer) || tries === mostTries || signal.aborted) return answer
    const { action, wait = [0, 0] } = treat(answer.left)
    if (action !== 'inline' || wait[0] > inlineBackoff.capMs) return answer
    await clock.sleep(Math.max(wait[0], fullJitterMs(inlineBackoff, tries - 1, random.next())), signal)
    if (signal.aborted) return answer
  }
}
