/** Knows every way a run can be told to stop, and which came first: cancel, shutdown, lost lease, time limit. */
import type { SyncFailure } from '#libs/domain/failure.ts'

export type StopSwitch = {
  readonly signal: AbortSignal
  readonly why: () => SyncFailure | undefined
  readonly stop: (why: SyncFailure) => void
  readonly watch: (signal: AbortSignal, why: () => SyncFailure) => void
  /** Ends the run as failed when it takes longer (R 8.12). */
  readonly after: (ms: number) => void
  readonly dispose: () => void
}

export const stopSwitch = (): StopSwitch => {
  const controller = new AbortController()
  const disposals: Array<() => void> = []
  let reason: SyncFailure | undefined
  const stop = (why: SyncFailure): void => {
    if (reason !== undefined) return
    reason = why
    controller.abort()
  }
  return {
    signal: controller.signal,
    why: () => reason,
    stop,
    watch: (signal, why) => {
      const listener = (): void => stop(why())
      if (signal.aborted) return listener()
      signal.addEventListener('abort', listener, { once: true })
      disposals.push(() => signal.removeEventListener('abort', listener))
    },
    after: (ms) => {
      const timer = setTimeout(() => stop({ is: 'unavailable', message: `the run took longer than ${Math.round(ms / 1000)} s`, code: 'run-timeout', mend: 'raise runTimeout, or look for a slow side in the trace' }), Math.min(ms, 2 ** 31 - 1))
      timer.unref()
      disposals.push(() => clearTimeout(timer))
    },
    dispose: () => {
      for (const dispose of disposals.splice(0)) dispose()
    },
  }
}
