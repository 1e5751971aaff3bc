/** Knows what comes with a message out of a stream. Does not know who handles it. */
import type { Msg } from '@nats-io/transport-node'
import { TE } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs, headerOf } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { request } from './request.ts'
import type { Bus } from './connect.ts'

export type Delivery = {
  readonly subject: string
  readonly body: Uint8Array
  readonly header: (name: string) => string | undefined
  readonly headers: () => HeaderRecord
  readonly seq: number
  readonly stream: string
  readonly consumer: string
  /** 1 the first time. */
  readonly deliveryCount: number
  /** When the stream stored it, in ms since 1970 by the server's clock. */
  readonly storedAt: number
  /** About how many more the consumer has to deliver: seen one short while messages were arriving. Never decide by it. */
  readonly pending: number
  /** Restarts ack_wait; right only when the server has confirmed it (NATS.md §5.3). */
  readonly working: TE.TaskEither<NatsFailure, void>
}

export type DeliveryInfo = Pick<
  Delivery,
  'stream' | 'consumer' | 'deliveryCount' | 'seq' | 'storedAt' | 'pending'
> & { readonly consumerSeq: number }

/** Reads `$JS.ACK.<stream>.<consumer>.<count>.<seq>.<consumer seq>.<ns>.<pending>`; newer servers put domain and account first. */
export const parseAckSubject = (reply: string): DeliveryInfo => {
  const tokens = reply.split('.')
  const at = tokens.length === 9 ? 2 : 4
  const number = (i: number) => Number(tokens[at + i])
  return {
    stream: tokens[at] ?? '',
    consumer: tokens[at + 1] ?? '',
    deliveryCount: number(2),
    seq: number(3),
    consumerSeq: number(4),
    storedAt: Math.floor(number(5) / 1e6),
    pending: number(6),
  }
}

export const deliveryOf = (bus: Bus, msg: Msg): Delivery => {
  const reply = msg.reply ?? ''
  const info = parseAckSubject(reply)
  return {
    subject: msg.subject,
    body: msg.data,
    header: (name) => headerOf(msg.headers, name),
    headers: () => fromMsgHdrs(msg.headers),
    seq: info.seq,
    stream: info.stream,
    consumer: info.consumer,
    deliveryCount: info.deliveryCount,
    storedAt: info.storedAt,
    pending: info.pending,
    working: TE.map(() => undefined)(() => request(bus, reply, '+WPI', 5_000)),
  }
}
