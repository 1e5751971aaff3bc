/** Knows the two signals that end a process, and which came first. Does not know what has to be ended. */
export type Signal = 'SIGTERM' | 'SIGINT'

/** The part of `process` that matters here; tests pass their own. */
export type Host = {
  readonly on: (signal: Signal, listener: () => void) => unknown
  readonly off: (signal: Signal, listener: () => void) => unknown
}

export type Heard = { readonly is: 'signal'; readonly signal: Signal }

/** Takes over both signals until `ignore`. `exitCode` is what a shell expects after a signal: 128 + its number. */
export const listen = (host: Host) => {
  const first = Promise.withResolvers<Heard>()
  const second = Promise.withResolvers<Heard>()
  let heard = 0
  const hear = (signal: Signal) => () => (heard++ === 0 ? first : second).resolve({ is: 'signal', signal })
  const listeners = { SIGTERM: hear('SIGTERM'), SIGINT: hear('SIGINT') }
  host.on('SIGTERM', listeners.SIGTERM)
  host.on('SIGINT', listeners.SIGINT)
  return {
    first: first.promise,
    second: second.promise,
    exitCode: (signal: Signal) => 128 + (signal === 'SIGINT' ? 2 : 15),
    ignore: () => {
      host.off('SIGTERM', listeners.SIGTERM)
      host.off('SIGINT', listeners.SIGINT)
    },
  }
}
