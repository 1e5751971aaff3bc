/**
 * Knows how to store many messages at once: with one list of shared headers and one wait for all answers. Each is a message like
 * any other. An atomic batch is no quicker (measured), and would refuse all of them for one that is stored already.
 */
import { E } from '#libs/fp.ts'
import type { Bus } from './connect.ts'
import type { NatsFailure } from './failure.ts'
import { toManyMsgHdrs } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { publish } from './publish.ts'
import { parseServerAnswer } from './request.ts'

/** The id is what makes it harmless to send one again. */
export type OneOfMany = { readonly subject: string; readonly body: Uint8Array; readonly msgId: string }

/** What could not be stored, by its place. All others are stored. */
export const publishMany =
  (bus: Bus, timeoutMs = 5_000) =>
  async (messages: ReadonlyArray<OneOfMany>, headers: HeaderRecord): Promise<ReadonlyMap<number, NatsFailure>> => {
    const failures = new Map<number, NatsFailure>()
    const missing = await sendAll(bus, messages, headers, timeoutMs)
    // Whatever the reason: sent once more by itself, as a single message is sent
    await Promise.all(missing.map(async (at) => {
      const message = messages[at]
      if (message === undefined) return
      const { subject, body, msgId } = message
      const stored = await publish(bus)(subject, body, { msgId, headers, retryTimeouts: true, timeoutMs })()
      if (stored._tag === 'Left') failures.set(at, stored.left)
    }))
    return failures
  }

/** Answers the places of those that were not acknowledged as stored. */
const sendAll = (bus: Bus, messages: ReadonlyArray<OneOfMany>, headers: HeaderRecord, timeoutMs: number): Promise<ReadonlyArray<number>> =>
  new Promise((done) => {
    const headersOf = toManyMsgHdrs(headers, 'Nats-Msg-Id')
    const missing: number[] = []
    let open = messages.length
    if (open === 0) return done(missing)
    messages.forEach(({ subject, body, msgId }, at) => {
      bus.ask(subject, body, timeoutMs, headersOf(msgId), (answer) => {
        if (E.isLeft(answer) || E.isLeft(parseServerAnswer(answer.right))) missing.push(at)
        if (--open === 0) done(missing)
      })
    })
  })
