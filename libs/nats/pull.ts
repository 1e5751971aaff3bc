/** Knows the pull protocol of a JetStream consumer. Does not know what handles the messages, nor when they are done. */
import { createInbox } from '@nats-io/transport-node'
import type { Msg, Subscription } from '@nats-io/transport-node'
import { natsFailureOf, other } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import type { Bus } from './connect.ts'

/**
 * The library's consume() holds a buffer beside the messages in hand, and ack_wait runs for what lies in it; behind a
 * run of minutes such a message is redelivered until it counts as poison. Here exactly the free slots are asked for.
 */
export type Pull = {
  /** Asks for more, when that is worth a request. */
  readonly want: (freeSlots: number) => void
  /** Asks for nothing more and waits for what is already on its way. */
  readonly stop: () => Promise<void>
}

export type PullOptions = {
  readonly stream: string
  readonly consumer: string
  /** How long one request waits at the server, so also how long a lost one goes unnoticed. */
  readonly expiresMs: number
  readonly onMessage: (msg: Msg) => void
  /** A request ended or the connection came back: say again what is wanted. */
  readonly onIdle: () => void
  readonly onFailure: (failure: NatsFailure) => void
  /**
   * A process that stood still for longer (SIGSTOP, a frozen machine) drops what was sent to it meanwhile: the server has
   * given that to somebody else, or will. Not set = everything is taken.
   */
  readonly standstillMs?: number
}

type Asked = { left: number; readonly deadline: number }

export const startPull = (bus: Bus, options: PullOptions): Pull => {
  const next = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`
  let inbox = createInbox(bus.inboxPrefix)
  const asked = new Map<string, Asked>() // in the order they were sent
  let serial = 0
  let notBefore = 0
  let stopped = false

  const outstanding = () => {
    let sum = 0
    for (const request of asked.values()) sum += request.left
    return sum
  }

  const want = (freeSlots: number): void => {
    const missing = freeSlots - outstanding()
    // A request for each slot that falls free would fill the consumer's waiting list of 512
    if (stopped || missing <= 0 || missing * 4 < freeSlots || !bus.isConnected() || Date.now() < notBefore) return
    const reply = `${inbox}.${++serial}`
    asked.set(reply, { left: missing, deadline: Date.now() + options.expiresMs + 1_000 })
    try {
      bus.nc.publish(next, JSON.stringify({ batch: missing, expires: options.expiresMs * 1e6 }), { reply })
    } catch (cause) {
      asked.delete(reply)
      pause(1_000, natsFailureOf(cause))
    }
  }

  const pause = (ms: number, failure?: NatsFailure): void => {
    notBefore = Date.now() + ms
    if (failure !== undefined) options.onFailure(failure)
    setTimeout(options.onIdle, ms + 1)
  }

  let lastTurn = performance.now()
  /** Whatever still arrives under the old inbox was sent to a process that did not move. */
  const noticeStandstill = (): void => {
    const now = performance.now()
    const stoodStill = now - lastTurn > (options.standstillMs ?? Infinity)
    lastTurn = now
    if (!stoodStill || stopped || bus.nc.isClosed()) return
    sub.unsubscribe()
    asked.clear()
    inbox = createInbox(bus.inboxPrefix)
    sub = listen()
  }

  const onMessage = (msg: Msg): void => {
    if (!msg.subject.startsWith(inbox)) {
      for (const [reply, request] of asked) {
        if (--request.left <= 0) asked.delete(reply)
        break
      }
      options.onMessage(msg)
      return
    }
    const code = msg.headers?.code ?? 0
    const description = msg.headers?.description.toLowerCase() ?? ''
    if (code === 100) return
    asked.delete(msg.subject)
    if (stopped) return
    if (code === 408 || code === 404) options.onIdle()
    else if (code === 503) pause(500, { is: 'no-responders', subject: next })
    else if (description.includes('consumer deleted'))
      pause(1_000, { is: 'not-found', what: `consumer ${options.consumer} of ${options.stream} was deleted` })
    // a change of leader or a server going down: the next request finds the new one
    else if (code === 409 && /leadership|shutdown|batch completed/.test(description)) pause(250)
    else pause(2_000, other(`the server refused to deliver: ${code} ${description}`))
  }

  const listen = (): Subscription => {
    const listening = inbox
    return bus.nc.subscribe(`${listening}.*`, {
      // nothing here may throw: the library would stop reading the connection
      callback: (err, msg) => {
        if (listening !== inbox) return
        noticeStandstill()
        if (listening !== inbox) return
        if (err === null) onMessage(msg)
        else if (!stopped) {
          asked.clear()
          setTimeout(() => void (stopped || bus.nc.isClosed() || (sub = listen())), 1_000)
          pause(1_500, natsFailureOf(err))
        }
      },
    })
  }
  let sub = listen()

  const offReconnect = bus.onReconnect(() => {
    asked.clear() // the server forgot them together with the connection
    options.onIdle()
  })
  const heal = setInterval(() => {
    noticeStandstill()
    const now = Date.now()
    for (const [reply, request] of asked) if (request.deadline < now) asked.delete(reply)
    options.onIdle()
  }, 1_000)

  return {
    want,
    stop: async () => {
      stopped = true
      clearInterval(heal)
      offReconnect()
      // drained, not cut: what the server has already sent still arrives and can be handed back at once
      if (!bus.nc.isClosed()) await sub.drain().catch(() => undefined)
    },
  }
}
