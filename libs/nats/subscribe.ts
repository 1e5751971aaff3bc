/** Knows how to listen to plain subjects, alone or in a queue group. Does not know streams. */
import type { Msg } from '@nats-io/transport-node'
import { natsFailureOf, other } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs, headerOf, toMsgHdrs } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import type { Bus } from './connect.ts'

export type CoreMessage = {
  readonly subject: string
  readonly body: Uint8Array
  readonly header: (name: string) => string | undefined
  readonly headers: () => HeaderRecord
  /** Answers the asker; false when nobody asked. */
  readonly answer: (body: Uint8Array, headers?: HeaderRecord) => boolean
}

export type SubscribeOptions = {
  readonly subject: string
  readonly queue?: string
  readonly handle: (message: CoreMessage) => Promise<void> | void
  readonly onError: (failure: NatsFailure) => void
}

export type Listening = { readonly stop: () => Promise<void> }

export const subscribe = (bus: Bus, options: SubscribeOptions): Listening => {
  const running = new Set<Promise<void>>()
  let stopped = false

  const run = async (msg: Msg): Promise<void> => {
    try {
      await options.handle(coreMessageOf(msg))
    } catch (cause) {
      options.onError(other(`handler of ${msg.subject} threw: ${String(cause)}`, cause))
    }
  }
  const listen = () =>
    bus.nc.subscribe(options.subject, {
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      callback: (err, msg) => {
        if (err === null) {
          const work = run(msg).finally(() => running.delete(work))
          running.add(work)
        } else if (!stopped) {
          // the server has dropped the subscription, most likely for want of a right that may yet be granted
          options.onError(natsFailureOf(err))
          setTimeout(() => void (stopped || bus.nc.isClosed() || (sub = listen())), 5_000)
        }
      },
    })
  let sub = listen()
  return {
    stop: async () => {
      stopped = true
      if (!bus.nc.isClosed()) await sub.drain().catch(() => undefined)
      while (running.size > 0) await Promise.all(running)
    },
  }
}

const coreMessageOf = (msg: Msg): CoreMessage => ({
  subject: msg.subject,
  body: msg.data,
  header: (name) => headerOf(msg.headers, name),
  headers: () => fromMsgHdrs(msg.headers),
  answer: (body, headers) => msg.respond(body, headers === undefined ? {} : { headers: toMsgHdrs(headers) }),
})
