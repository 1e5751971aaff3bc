/** Knows the time as a port. Pure files never see it: they take `now` as an argument. */
import { setTimeout as wait } from 'node:timers/promises'

export type Clock = {
  /** Wall clock, ms since the epoch; may jump. */
  readonly now: () => number
  /** ms since an arbitrary start; never goes back. For durations and trust windows. */
  readonly monotonic: () => number
  /** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** Longest delay a Node timer can hold (2^31 - 1 ms): above it the timer would fire at once. */
const longestTimerMs = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    let left = Math.max(0, ms)
    while (signal?.aborted !== true) {
      const step = Math.min(left, longestTimerMs)
      // The only rejection a timer knows is the abort, and an aborted sleep has simply ended.
      await wait(step, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      left -= step
      if (left <= 0) return
    }
  },
}
