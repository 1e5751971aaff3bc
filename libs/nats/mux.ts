/** Knows how to match answers to questions over one subscription. Does not know what is asked. */
import { createInbox } from '@nats-io/transport-node'
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import { E } from '#libs/fp.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'

export type Answered = E.Either<NatsFailure, Msg>

/**
 * The library's own request makes an Error with its stack for every answer that arrives, an eighth of a busy worker's
 * time (measured by profile). This one makes a map entry and a timer.
 */
export type Mux = {
  readonly request: (subject: string, body: Uint8Array | string, timeoutMs: number, headers?: MsgHdrs) => Promise<Answered>
  /** The server refused a publish to this subject; it does not say which. */
  readonly denied: (subject: string, failure: NatsFailure) => void
  readonly close: () => void
}

type Pending = { readonly subject: string; readonly timer: NodeJS.Timeout; readonly resolve: (answer: Answered) => void }

export const startMux = (nc: NatsConnection, inboxPrefix: string): Mux => {
  const base = `${createInbox(inboxPrefix)}.`
  const pending = new Map<string, Pending>()
  let serial = 0
  let listening = false

  const settle = (token: string, answer: Answered): void => {
    const asked = pending.get(token)
    if (asked === undefined) return // too late: its asker has been told "timeout"
    pending.delete(token)
    clearTimeout(asked.timer)
    asked.resolve(answer)
  }

  const settleAll = (failure: NatsFailure): void => {
    for (const token of [...pending.keys()]) settle(token, E.left(failure))
  }

  const listen = (): void => {
    listening = true
    nc.subscribe(`${base}*`, {
      callback: (err, msg) => {
        if (err !== null) {
          listening = false // no right to our own inbox; the next question tries again
          return settleAll(natsFailureOf(err))
        }
        const nobody = msg.data.length === 0 && msg.headers?.code === 503
        settle(msg.subject.slice(base.length), nobody ? E.left({ is: 'no-responders' }) : E.right(msg))
      },
    })
  }

  return {
    request: (subject, body, timeoutMs, headers) =>
      new Promise((resolve) => {
        const token = (++serial).toString(36)
        try {
          if (!listening) listen()
          const reply = base + token
          nc.publish(subject, body, headers === undefined ? { reply } : { reply, headers })
          const timer = setTimeout(() => settle(token, E.left({ is: 'timeout' })), timeoutMs)
          pending.set(token, { subject, timer, resolve })
        } catch (cause) {
          resolve(E.left(natsFailureOf(cause)))
        }
      }),
    denied: (subject, failure) => {
      for (const [token, asked] of pending) if (asked.subject === subject) return settle(token, E.left(failure))
    },
    close: () => settleAll({ is: 'timeout' }), // what was sent before the end may have been stored
  }
}
