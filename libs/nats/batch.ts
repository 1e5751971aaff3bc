/** Knows how to store several messages of one stream all or none. Does not know what they mean together. */
import { nuid } from '@nats-io/transport-node'
import { E, TE } from '#libs/fp.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { toMsgHdrs } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { publish, publishHeaders } from './publish.ts'
import { parseServerAnswer, request } from './request.ts'
import type { Bus } from './connect.ts'

export type BatchMessage = {
  readonly subject: string
  readonly body: Uint8Array
  readonly headers?: HeaderRecord
  readonly expectLastSubjectSequence?: number
  readonly ttlSeconds?: number
}

/** The i-th of count messages (from 1) has sequence lastSeq - count + i. */
export type StoredBatch = { readonly lastSeq: number; readonly count: number }

export const maxBatchMessages = 1_000

/**
 * An atomic batch by hand: the library's batch drops expectations and TTLs, and hides why a batch was refused
 * (NATS.md §3.4). Failing at the first message is definite; a timeout of the last is an unknown outcome.
 */
export const publishBatch =
  (bus: Bus, timeoutMs = 5_000) =>
  (messages: ReadonlyArray<BatchMessage>): TE.TaskEither<NatsFailure, StoredBatch> => {
    const [first, ...rest] = messages
    const last = rest.pop()
    if (first === undefined) throw new Error('a batch needs a message')
    if (messages.length > maxBatchMessages) throw new Error(`${messages.length} messages in one batch; ${maxBatchMessages} at most`)
    if (last === undefined) return publishOne(bus, first, timeoutMs)
    return async () => {
      const id = nuid.next()
      const opened = await request(bus, first.subject, first.body, timeoutMs, batchHeaders(first, id, 1))
      if (opened._tag === 'Left') return E.left(atFirst(opened.left))
      if (opened.right.data.length > 0) {
        const refused = parseServerAnswer(opened.right)
        if (refused._tag === 'Left') return E.left(atFirst(refused.left))
      }
      try {
        rest.forEach((message, i) => {
          bus.nc.publish(message.subject, message.body, { headers: batchHeaders(message, id, i + 2) })
        })
      } catch (cause) {
        return E.left(natsFailureOf(cause)) // never committed, so the server forgets it after its idle timeout
      }
      const answer = await request(bus, last.subject, last.body, timeoutMs, batchHeaders(last, id, messages.length, true))
      const stored = answer._tag === 'Left' ? answer : parseServerAnswer<BatchAck>(answer.right)
      if (stored._tag === 'Left') return stored
      return stored.right.count === messages.length
        ? E.right({ lastSeq: stored.right.seq, count: messages.length })
        : E.left({ is: 'batch-incomplete', at: 'commit' })
    }
  }

type BatchAck = { readonly seq: number; readonly count?: number }

const publishOne = (bus: Bus, message: BatchMessage, timeoutMs: number): TE.TaskEither<NatsFailure, StoredBatch> =>
  TE.map(({ seq }: { readonly seq: number }) => ({ lastSeq: seq, count: 1 }))(
    publish(bus)(message.subject, message.body, { ...publishOptions(message), timeoutMs }),
  )

const publishOptions = (message: BatchMessage) => ({
  ...(message.headers === undefined ? {} : { headers: message.headers }),
  ...(message.ttlSeconds === undefined ? {} : { ttlSeconds: message.ttlSeconds }),
  ...(message.expectLastSubjectSequence === undefined
    ? {}
    : { expect: { lastSubjectSequence: message.expectLastSubjectSequence } }),
})

const batchHeaders = (message: BatchMessage, id: string, sequence: number, commit = false) =>
  toMsgHdrs({
    ...publishHeaders(publishOptions(message)),
    'Nats-Batch-Id': id,
    'Nats-Batch-Sequence': String(sequence),
    ...(commit ? { 'Nats-Batch-Commit': '1' } : {}),
  })

/** Nothing is sent after a first message without a yes, so nothing can be stored (NATS.md §4.3). */
const atFirst = (failure: NatsFailure): NatsFailure =>
  failure.is === 'batch-incomplete' || failure.is === 'timeout' ? { is: 'batch-incomplete', at: 'first' } : failure
