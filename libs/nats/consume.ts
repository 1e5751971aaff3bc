/** Knows how to keep a bounded number of handlers busy from a durable consumer. Does not know what they do. */
import type { Msg } from '@nats-io/transport-node'
import { deliveryOf } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import { other } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { holdBlock } from './hold-block.ts'
import { startPull } from './pull.ts'
import { verdictToAck } from './verdict-to-ack.ts'
import type { Ack } from './verdict-to-ack.ts'
import type { Bus } from './connect.ts'

export type ConsumeOptions = {
  readonly stream: string
  /** A durable pull consumer which exists already; services may not create one. */
  readonly consumer: string
  readonly concurrency: number
  readonly handle: (delivery: Delivery) => Promise<Ack>
  readonly onError: (failure: NatsFailure, delivery?: Delivery) => void
  /** "Done" is not waited for: one that gets lost brings its message again after ack_wait, which must change nothing. */
  readonly unconfirmed?: boolean
  /** For a stream that keeps what was consumed, so that its blocks are large: see hold-block.ts. */
  readonly holdsBlock?: boolean
  readonly expiresMs?: number
  /** See pull.ts. The time after which another may have been given what was sent to us: the lease's, or ack_wait. */
  readonly standstillMs?: number
  /** When a handler threw, which is a bug: how long until the next attempt. */
  readonly delayAfterThrowMs?: (deliveryCount: number) => number
  readonly signal?: AbortSignal
}

export type Consumption = {
  readonly inFlight: () => number
  /** Takes nothing more, hands back what was not begun, waits for what was. */
  readonly stop: () => Promise<void>
  readonly stopped: Promise<void>
}

export const consume = (bus: Bus, options: ConsumeOptions): Consumption => {
  const settle = verdictToAck(bus, { unconfirmed: options.unconfirmed === true })
  const running = new Set<Promise<void>>()
  const waiting: Msg[] = [] // only when a lost request was answered after all
  let stopping: Promise<void> | undefined

  const hold = options.holdsBlock === true ? holdBlock(bus, (failure) => report(options, failure)) : undefined
  const run = async (msg: Msg): Promise<void> => {
    const delivery = deliveryOf(bus, msg)
    hold?.(delivery)
    const ack = await verdictOf(delivery, options)
    const settled = await settle(msg.reply ?? '', ack)()
    if (settled._tag === 'Left') report(options, settled.left, delivery)
  }

  const begin = (msg: Msg): void => {
    if (stopping !== undefined) return track(handBack(msg))
    if (running.size >= options.concurrency) return void waiting.push(msg)
    track(run(msg))
  }

  const track = (work: Promise<void>): void => {
    const tracked = work.then(() => {
      running.delete(tracked)
      const next = waiting.shift()
      if (next !== undefined) begin(next)
      refill()
    })
    running.add(tracked)
  }

  const handBack = async (msg: Msg): Promise<void> => {
    const returned = await settle(msg.reply ?? '', { is: 'again', delayMs: 1 })()
    if (returned._tag === 'Left') report(options, returned.left, deliveryOf(bus, msg)) // it comes again after ack_wait
  }

  // Many handlers end in one turn of the event loop; one request then serves them all
  let refilling = false
  const refill = (): void => {
    if (refilling || stopping !== undefined) return
    refilling = true
    setImmediate(() => {
      refilling = false
      if (stopping === undefined) pull.want(options.concurrency - running.size - waiting.length)
    })
  }

  const pull = startPull(bus, {
    stream: options.stream,
    consumer: options.consumer,
    expiresMs: options.expiresMs ?? 5_000,
    ...(options.standstillMs === undefined ? {} : { standstillMs: options.standstillMs }),
    onMessage: begin,
    onIdle: refill,
    onFailure: (failure) => report(options, failure),
  })

  const end = async (): Promise<void> => {
    const ended = pull.stop()
    for (const msg of waiting.splice(0)) track(handBack(msg))
    await ended
    while (running.size > 0) await Promise.all(running)
    if (options.unconfirmed === true && !bus.nc.isClosed()) await bus.flush()
  }
  let done: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (done = resolve))
  const stop = (): Promise<void> => (stopping ??= end().finally(done))

  options.signal?.addEventListener('abort', () => void stop(), { once: true })
  if (options.signal?.aborted === true) void stop()
  void bus.closed.then(stop)
  refill()
  return { inFlight: () => running.size, stop, stopped }
}

/** A throw is caught here and nowhere else; it must not end the consumer, nor lose the message. */
const verdictOf = async (delivery: Delivery, options: ConsumeOptions): Promise<Ack> => {
  try {
    return await options.handle(delivery)
  } catch (cause) {
    report(options, other(`handler threw: ${cause instanceof Error ? cause.message : String(cause)}`, cause), delivery)
    return { is: 'again', delayMs: (options.delayAfterThrowMs ?? afterThrow)(delivery.deliveryCount) }
  }
}

const afterThrow = (deliveryCount: number): number => Math.min(30_000, 1_000 * 2 ** (deliveryCount - 1))

const report = (options: ConsumeOptions, failure: NatsFailure, delivery?: Delivery): void => {
  try {
    options.onError(failure, delivery)
  } catch {
    // a broken logger must not stop the work it logs
  }
}
