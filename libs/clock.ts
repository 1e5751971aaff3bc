/** Knows the time as a port. Pure files never see it: they take `now` as an argument. */
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
  sleep: (ms, signal) => {
    const left = Math.max(0, ms)
    if (signal?.aborted === true) return Promise.resolve()
    if (left > longestTimerMs) return sleepOnce(longestTimerMs, signal).then(() => systemClock.sleep(left - longestTimerMs, signal))
    return sleepOnce(left, signal)
  },
}

/** By hand, because the promised timer of Node makes an error with its stack for every sleep that is cut short. */
const sleepOnce = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end, { once: true })
  })
