/** Knows how to ask and to get one answer or one failure. Does not know publishing, state or services. */
import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import { E } from '#libs/fp.ts'
import { failureOfServerError } from './failure.ts'
import type { NatsFailure, ServerError } from './failure.ts'
import type { Bus } from './connect.ts'

/**
 * Under every publish, ask and read. Without a connection it fails at once instead of queueing:
 * "disconnected" then surely means "not sent", and no state write can leave late, after a reconnect (NATS.md §3.3).
 */
export const request = async (
  bus: Bus,
  subject: string,
  body: Uint8Array | string,
  timeoutMs: number,
  headers?: MsgHdrs,
): Promise<E.Either<NatsFailure, Msg>> => {
  if (!bus.isConnected()) return E.left({ is: 'disconnected' })
  const answer = await bus.request(subject, body, timeoutMs, headers)
  return answer._tag === 'Left' ? E.left(at(answer.left, bus, subject, body)) : answer
}

/** A request to the JetStream API: an answer with an error in it is a failure too. */
export const apiRequest = async <Answer>(
  bus: Bus,
  subject: string,
  body: string,
  timeoutMs = 5_000,
): Promise<E.Either<NatsFailure, Answer>> => {
  const answer = await request(bus, subject, body, timeoutMs)
  return answer._tag === 'Left' ? answer : parseServerAnswer<Answer>(answer.right)
}

/** The server's own JSON is trusted in shape; that it is JSON at all is checked. */
export const parseServerAnswer = <Answer>(msg: Msg): E.Either<NatsFailure, Answer> => {
  let parsed: Answer & { readonly error?: ServerError }
  try {
    parsed = msg.json()
  } catch (cause) {
    return E.left({ is: 'bad-message', report: `not an answer of the server: ${String(cause)}` })
  }
  return parsed.error === undefined ? E.right(parsed) : E.left(failureOfServerError(parsed.error))
}

const at = (failure: NatsFailure, bus: Bus, subject: string, body: Uint8Array | string): NatsFailure => {
  switch (failure.is) {
    case 'timeout':
    case 'no-responders':
      return { is: failure.is, subject }
    case 'denied':
      return { ...failure, subject }
    case 'too-large':
      return { ...failure, bytes: body.length, maxBytes: bus.maxPayload() }
    default:
      return failure
  }
}
