/** Knows how to read a stream in order and to go on after any gap. Does not know what the messages mean. */
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import type { ConsumerConfig, ConsumerInfo } from '@nats-io/jetstream'
import { createInbox, nuid } from '@nats-io/transport-node'
import type { Msg, Subscription } from '@nats-io/transport-node'
import { E } from '#libs/fp.ts'
import { parseAckSubject } from './delivery.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs } from './headers.ts'
import { apiRequest } from './request.ts'
import type { StoredMessage } from './stored-message.ts'
import type { Bus } from './connect.ts'

export type FollowOptions = {
  readonly stream: string
  readonly filter: string
  readonly deliver: 'all' | 'last-per-subject'
  readonly headersOnly?: boolean
  readonly onMessage: (message: StoredMessage) => void
  /** Once: everything that was stored at the start has been delivered. */
  readonly onCaughtUp: () => void
  readonly onFailure: (failure: NatsFailure) => void
}

export type Following = { readonly stop: () => Promise<void> }

const heartbeatMs = 2_000

/**
 * For almost three minutes after a node was killed the others still place a third of the new consumers on it, and nobody
 * answers for those (measured on three nodes, 2.12.5). A healthy answer takes milliseconds, and the next try goes elsewhere.
 */
const createWithinMs = 1_000
const quietTries = 4

/**
 * An ordered consumer by hand: the library's one waits up to a minute for missed heartbeats after the server lost its
 * consumer, and a throw in its callback ends it. Ours starts anew at every reconnect, gap and silence.
 */
export const follow = (bus: Bus, options: FollowOptions): Following => {
  const inbox = createInbox(bus.inboxPrefix)
  let attempt = 0 // also names the consumer and its deliver subject, so that late messages of an old one are known
  let consumerName: string | undefined
  let nextConsumerSeq = 1
  let lastSeq = 0
  let lastHeard = Date.now()
  let delivered = 0
  let pending = 0
  let thereAtStart = Number.POSITIVE_INFINITY // unknown until the consumer is created
  let caughtUp = false
  let stopped = false
  let sub: Subscription | undefined
  let unanswered = 0

  // The server counts only a literal subscription as interest; to a wildcard a push consumer delivers nothing
  const listen = (subject: string): Subscription =>
    bus.nc.subscribe(subject, {
      callback: (err, msg) => {
        if (err !== null) return options.onFailure(natsFailureOf(err))
        try {
          onMessage(msg)
        } catch (cause) {
          options.onFailure(natsFailureOf(cause)) // a throw here would stop the whole connection
        }
      },
    })

  const start = async (): Promise<void> => {
    const mine = ++attempt
    forget(consumerName)
    sub?.unsubscribe()
    sub = listen(`${inbox}.${mine}`)
    consumerName = `sl_${nuid.next()}`
    nextConsumerSeq = 1
    thereAtStart = Number.POSITIVE_INFINITY
    const deliveredBefore = delivered
    lastHeard = Date.now()
    const created = await create({
      name: consumerName,
      ack_policy: AckPolicy.None,
      deliver_subject: `${inbox}.${mine}`,
      filter_subject: options.filter,
      headers_only: options.headersOnly ?? false,
      flow_control: true,
      idle_heartbeat: heartbeatMs * 1e6,
      inactive_threshold: 30_000 * 1e6,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      ...(lastSeq > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: lastSeq + 1 }
        : { deliver_policy: policies[options.deliver] }),
    })
    if (E.isRight(created)) {
      unanswered = 0
      if (mine === attempt) {
        thereAtStart = deliveredBefore + created.right.num_pending + created.right.delivered.consumer_seq
        lookForEnd()
      }
      if (stopped) forget(created.right.name)
      return
    }
    if (stopped || mine !== attempt || bus.nc.isClosed()) return
    const silent = created.left.is === 'timeout' && ++unanswered < quietTries
    if (!silent) options.onFailure(created.left)
    setTimeout(() => void (mine === attempt && !stopped && start()), silent ? 0 : Math.min(250 * mine, 2_000))
  }

  const create = (config: Partial<ConsumerConfig> & { readonly name: string }) =>
    apiRequest<ConsumerInfo>(
      bus, `$JS.API.CONSUMER.CREATE.${options.stream}.${config.name}.${options.filter}`,
      JSON.stringify({ stream_name: options.stream, config, action: 'create' }), createWithinMs,
    )

  const onMessage = (msg: Msg): void => {
    if (stopped) return
    if (msg.subject.startsWith(`${inbox}.`)) {
      lastHeard = Date.now()
      if (msg.headers?.code !== 100) return void start() // the server gave the consumer up
      const stalled = msg.headers.get('Nats-Consumer-Stalled')
      if (msg.reply) msg.respond() // flow control: the server waits for this
      else if (stalled !== '') bus.nc.publish(stalled)
      else if (Number(msg.headers.get('Nats-Last-Consumer')) >= nextConsumerSeq) void start() // some got lost
      else reachEnd()
      return
    }
    const info = parseAckSubject(msg.reply ?? '')
    if (info.consumer !== consumerName) return
    lastHeard = Date.now()
    if (info.consumerSeq !== nextConsumerSeq) return void start()
    nextConsumerSeq++
    lastSeq = info.seq
    try {
      const headers = fromMsgHdrs(msg.headers)
      options.onMessage({ subject: msg.subject, seq: info.seq, body: msg.data, headers, storedAt: info.storedAt })
    } catch (cause) {
      options.onFailure(natsFailureOf(cause)) // the listener's bug must not end what it listens to
    }
    delivered++
    pending = info.pending
    lookForEnd()
  }

  // Both counts, because each can end too early alone: the server's has been seen one short while messages arrived,
  // and ours takes a key that was written again for one more. If they never agree, the next quiet heartbeat decides.
  const lookForEnd = (): void => {
    if (delivered >= thereAtStart && pending === 0) reachEnd()
  }

  const reachEnd = (): void => {
    if (caughtUp) return
    caughtUp = true
    options.onCaughtUp()
  }

  const forget = (name: string | undefined): void => {
    if (name !== undefined && bus.isConnected())
      bus.jsm.consumers.delete(options.stream, name).catch(() => undefined) // or the server forgets it by itself
  }

  const offReconnect = bus.onReconnect(() => void start())
  const silence = setInterval(() => {
    if (bus.isConnected() && Date.now() - lastHeard > 2.5 * heartbeatMs) void start()
  }, heartbeatMs)
  void start()

  return {
    stop: async () => {
      if (stopped) return
      stopped = true
      clearInterval(silence)
      offReconnect()
      forget(consumerName)
      if (!bus.nc.isClosed()) await sub?.drain().catch(() => undefined)
    },
  }
}

const policies = {
  all: DeliverPolicy.All,
  'last-per-subject': DeliverPolicy.LastPerSubject,
} as const
