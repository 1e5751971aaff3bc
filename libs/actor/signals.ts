/** Knows the signals that end a process, and which came first. Does not know what has to be ended. */
/** SIGHUP: the terminal went away, or an init system said so. Nothing is read again on it, so it ends the process like the others. */
export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

const numbers: Readonly<Record<Signal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }
const signals: ReadonlyArray<Signal> = ['SIGTERM', 'SIGINT', 'SIGHUP']

/** The part of `process` that matters here; tests pass their own. */
export type Host = {
  readonly on: (signal: Signal, listener: () => void) => unknown
  readonly off: (signal: Signal, listener: () => void) => unknown
}

export type Heard = { readonly is: 'signal'; readonly signal: Signal }

/** Takes over the signals until `ignore`. `exitCode` is what a shell expects after a signal: 128 + its number. */
export const listen = (host: Host) => {
  const first = Promise.withResolvers<Heard>()
  const second = Promise.withResolvers<Heard>()
  let heard = 0
  const hear = (signal: Signal) => () => (heard++ === 0 ? first : second).resolve({ is: 'signal', signal })
  const listeners = signals.map((signal) => [signal, hear(signal)] as const)
  for (const [signal, listener] of listeners) host.on(signal, listener)
  return {
    first: first.promise,
    second: second.promise,
    exitCode: (signal: Signal) => 128 + numbers[signal],
    ignore: () => {
      for (const [signal, listener] of listeners) host.off(signal, listener)
    },
  }
}
