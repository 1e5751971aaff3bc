/**
 * Knows how a test waits for something inside an actor without sleeping. Inert in production: while nobody listens,
 * `signal` does nothing and keeps nothing.
 */
export type TestSignal<A> = {
  readonly signal: (value: A) => void
  readonly listen: () => Listening<A>
}

export type Listening<A> = {
  /** The next value signalled since `listen` and not yet taken that passes `wanted`; the others are let go. */
  readonly next: (wanted?: (value: A) => boolean) => Promise<A>
  readonly stop: () => void
}

export const testSignal = <A>(): TestSignal<A> => {
  const listeners = new Set<(value: A) => void>()
  return {
    signal: (value) => {
      for (const listener of listeners) listener(value)
    },
    listen: () => {
      const heard: Array<A> = []
      let wake = (): void => undefined
      const listener = (value: A): void => {
        heard.push(value)
        wake()
      }
      listeners.add(listener)
      return {
        next: async (wanted = () => true) => {
          while (true) {
            for (let value = heard.shift(); value !== undefined; value = heard.shift()) if (wanted(value)) return value
            await new Promise<void>((resolve) => (wake = resolve))
          }
        },
        stop: () => listeners.delete(listener),
      }
    },
  }
}
