/** A clock that stands still until the test moves it; who sleeps is woken in the order of the times slept for. */
import type { Clock } from '#libs/clock.ts'

export type VirtualClock = Clock & {
  /** Lets the time pass, and everything that becomes due happen at its moment. */
  readonly pass: (ms: number) => Promise<void>
}

/** `isBusy`: something outside is under way, a call to a real server for instance; time stands still until it is not. */
export const virtualClock = (startMs = 1_700_000_000_000, isBusy: () => boolean = () => false): VirtualClock => {
  let now = startMs
  let sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []
  const settle = async (): Promise<void> => {
    // Effects are a few promises deep; a turn of the event loop takes them all
    for (let i = 0; i < 3; i = isBusy() ? 0 : i + 1) await new Promise((done) => setImmediate(done))
  }
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        if (signal?.aborted === true) return wake()
        const mine = { at: now + Math.max(0, ms), wake }
        sleepers.push(mine)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((one) => one !== mine)
          wake()
        }, { once: true })
        return undefined
      }),
    pass: async (ms) => {
      const end = now + ms
      for (;;) {
        await settle()
        const next = sleepers.toSorted((x, y) => x.at - y.at)[0]
        if (next === undefined || next.at > end) break
        sleepers = sleepers.filter((one) => one !== next)
        now = Math.max(now, next.at)
        next.wake()
      }
      now = end
      await settle()
    },
  }
}
