/** Knows how to match answers to questions over one subscription. Does not know what is asked. */
import { createInbox } from '@nats-io/transport-node'
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import { E } from '#libs/fp.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'

export type Answered = E.Either<NatsFailure, Msg>

/**
 * The library's own request makes an Error with its stack for every answer that arrives, an eighth of a busy worker's
 * time (measured by profile). This one makes a map entry; one timer looks after all of them.
 */
export type Mux = {
  readonly request: (subject: string, body: Uint8Array | string, timeoutMs: number, headers?: MsgHdrs) => Promise<Answered>
  /** The same without a promise, for those who ask a thousand things and wait once. `hear` is called once, and never at once. */
  readonly ask: (subject: string, body: Uint8Array | string, timeoutMs: number, headers: MsgHdrs | undefined, hear: (answer: Answered) => void) => void
  /** Leaves with the next requests; nobody answers. Not sent at all while there is no connection. */
  readonly tell: (subject: string, body: Uint8Array | string, headers?: MsgHdrs) => void
  /** What waits for the end of this turn leaves now. */
  readonly sendNow: () => void
  /** The server refused a publish to this subject; it does not say which. */
  readonly denied: (subject: string, failure: NatsFailure) => void
  /** The connection has ended, for now or for good: nobody waits for answers to what was sent over it. */
  readonly cutOff: () => void
}

type Pending = { readonly subject: string; readonly deadline: number; readonly resolve: (answer: Answered) => void }
/** `token` '' = nobody waits for an answer. */
type Outgoing = { readonly token: string; readonly subject: string; readonly body: Uint8Array | string; readonly headers: MsgHdrs | undefined }

/** So much later than asked for may a request be told "timeout". */
const lookEveryMs = 50

/** `isConnected`: asked at the moment of sending, because what is sent without a connection would leave after a reconnect. */
export const startMux = (nc: NatsConnection, inboxPrefix: string, isConnected: () => boolean): Mux => {
  const base = `${createInbox(inboxPrefix)}.`
  const pending = new Map<string, Pending>()
  let outbox: Array<Outgoing> = []
  let serial = 0
  let listening = false

  const settle = (token: string, answer: Answered): void => {
    const asked = pending.get(token)
    if (asked === undefined) return // too late: its asker has been told "timeout"
    pending.delete(token)
    asked.resolve(answer)
  }

  let looking = false
  /** Runs only while somebody waits, so that it keeps no process alive that nobody else does. */
  const lookLater = (): void => {
    if (looking) return
    looking = true
    setTimeout(() => {
      looking = false
      const now = performance.now()
      for (const [token, { deadline }] of pending) if (deadline <= now) settle(token, E.left({ is: 'timeout' }))
      if (pending.size > 0) lookLater()
    }, lookEveryMs)
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

  const send = ({ token, subject, body, headers }: Outgoing): void => {
    if (!isConnected()) return settle(token, E.left({ is: 'disconnected' }))
    try {
      if (token === '') return nc.publish(subject, body, headers === undefined ? undefined : { headers })
      if (!listening) listen()
      const reply = base + token
      nc.publish(subject, body, headers === undefined ? { reply } : { reply, headers })
    } catch (cause) {
      settle(token, E.left(natsFailureOf(cause)))
    }
  }

  const sendNow = (): void => {
    const all = outbox
    outbox = []
    for (const one of all) if (one.token === '' || pending.has(one.token)) send(one)
  }

  // All of one turn of the event loop leave in one write; the library alone would make one after every few of them
  const enqueue = (one: Outgoing): void => {
    if (outbox.push(one) === 1) setImmediate(sendNow)
  }

  const ask: Mux['ask'] = (subject, body, timeoutMs, headers, hear) => {
    const token = (++serial).toString(36)
    pending.set(token, { subject, deadline: performance.now() + timeoutMs, resolve: hear })
    lookLater()
    enqueue({ token, subject, body, headers })
  }

  return {
    request: (subject, body, timeoutMs, headers) => new Promise((resolve) => ask(subject, body, timeoutMs, headers, resolve)),
    ask,
    tell: (subject, body, headers) => enqueue({ token: '', subject, body, headers }),
    sendNow,
    denied: (subject, failure) => {
      for (const [token, asked] of pending) if (asked.subject === subject) return settle(token, E.left(failure))
    },
    cutOff: () => {
      for (const { token } of outbox) settle(token, E.left({ is: 'disconnected' }))
      settleAll({ is: 'timeout' }) // what was sent before the end may have been stored
    },
  }
}
