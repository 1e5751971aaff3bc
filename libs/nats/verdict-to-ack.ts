/** Knows the one translation of a verdict into an acknowledgement. Does not know how the verdict was found. */
import { E, TE } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import { oneLine } from './headers.ts'
import { request } from './request.ts'
import type { Bus } from './connect.ts'

export type Ack =
  | { readonly is: 'done' }
  | { readonly is: 'again'; readonly delayMs: number }
  | { readonly is: 'terminate'; readonly reason: string }
  /** Say nothing: the message comes again after ack_wait. */
  | { readonly is: 'leave' }

/** Over about ten seconds: a server that is restarted, or an election. */
const attempts = 6

export type AckOptions = {
  readonly timeoutMs?: number
  /** "done" is sent and not waited for, at half the cost: where handling a message again changes nothing. */
  readonly unconfirmed?: boolean
}

/** Confirmed by the server, because an acknowledgement that gets lost is a second run. Repeating one is harmless. */
export const verdictToAck = (bus: Bus, { timeoutMs = 3_000, unconfirmed = false }: AckOptions = {}) => {
  const tellDone = unconfirmed ? tellAgain(bus) : undefined
  return (ackSubject: string, ack: Ack): TE.TaskEither<NatsFailure, void> =>
    async () => {
      const wire = ackPayload(ack)
      if (wire === undefined) return E.right(undefined)
      if (tellDone !== undefined && ack.is === 'done') return E.right(tellDone(ackSubject, wire))
      for (let attempt = 1; ; attempt++) {
        const confirmed = await request(bus, ackSubject, wire, timeoutMs)
        if (confirmed._tag === 'Right') return E.right(undefined)
        const passing = ['timeout', 'disconnected', 'no-responders'].includes(confirmed.left.is)
        if (!passing || attempt >= attempts) return confirmed
        await new Promise((done) => setTimeout(done, 500 * attempt))
      }
    }
}

/** More than may be on their way when a connection breaks. */
const remembered = 512
/** Shorter than any ack_wait: until then nobody else has been given the message, whose ack this would be taken for. */
const repeatWithinMs = 20_000

/**
 * What a broken connection may have swallowed is told once more over the next one. The server takes a second "done" for
 * nothing; a message whose only one got lost would be handed out again, and its subject be full until then.
 */
const tellAgain = (bus: Bus): ((ackSubject: string, wire: string) => void) => {
  const told: Array<{ readonly subject: string; readonly wire: string; readonly at: number }> = []
  let next = 0
  bus.onReconnect(() => {
    const since = performance.now() - repeatWithinMs
    for (const { subject, wire, at } of told) if (at >= since) bus.tell(subject, wire)
  })
  return (subject, wire) => {
    told[next] = { subject, wire, at: performance.now() }
    next = (next + 1) % remembered
    bus.tell(subject, wire)
  }
}

export const ackPayload = (ack: Ack): string | undefined => {
  switch (ack.is) {
    case 'done':
      return '+ACK'
    case 'again':
      // without a delay it would come back within milliseconds, whatever the backoff (NATS.md §5.3)
      return `-NAK {"delay":${Math.round(Math.max(1, ack.delayMs) * 1e6)}}`
    case 'terminate':
      return `+TERM ${oneLine(ack.reason)}`.trimEnd()
    case 'leave':
      return undefined
  }
}
