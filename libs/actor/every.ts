/**
 * Knows how time becomes messages: a timer that sets itself anew after each turn, never two turns at once.
 * Does not know what a turn does; a failed one delays the next and never ends the loop.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Verdict } from './verdict.ts'

export type EveryOptions = {
  readonly name: string
  /** ms until the next turn, asked after each turn that went well. */
  readonly delayMs: () => number
  /** One turn. `retry-in` delays the next by its ms; so does a throw, by one second. */
  readonly turn: () => Promise<Verdict>
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
}

export type Every = {
  /** The next turn comes at once; called during a turn, right after it. */
  readonly nudge: () => void
  /** No further turn; resolves when the one under way is over. */
  readonly stop: () => Promise<void>
}

const afterThrowMs = 1_000

export const every = ({ name, delayMs, turn, clock, log }: EveryOptions): Every => {
  let sleeping = new AbortController()
  let nudged = false
  let stopped = false

  const oneTurn = async (): Promise<number> => {
    try {
      const verdict = await turn()
      if (verdict.is !== 'retry-in') return delayMs()
      log.warn('timer.delayed', { service: name, reason: verdict.reason, delayMs: verdict.ms })
      return verdict.ms
    } catch (error) {
      log.error('timer.threw', { service: name, error })
      return afterThrowMs
    }
  }

  const live = async (): Promise<void> => {
    let waitMs = 0
    while (!stopped) {
      if (!nudged) await clock.sleep(waitMs, sleeping.signal)
      if (stopped) return
      nudged = false
      sleeping = new AbortController()
      waitMs = await oneTurn()
    }
  }
  const ended = live()

  return {
    nudge: () => {
      nudged = true
      sleeping.abort()
    },
    stop: () => {
      stopped = true
      sleeping.abort()
      return ended
    },
  }
}
