/** Knows how the server hands out one stored message. Does not know who wants it. */
import { E } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs, parseHeaderBlock } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { apiRequest, request } from './request.ts'
import type { Bus } from './connect.ts'

export type StoredMessage = {
  readonly subject: string
  readonly seq: number
  readonly body: Uint8Array
  readonly headers: HeaderRecord
  readonly storedAt: number
}

export type MessageQuery =
  | { readonly seq: number }
  | { readonly lastBySubject: string }
  /** The first at or after a sequence whose subject matches the filter. */
  | { readonly from: number; readonly filter: string }

/** By the stream's leader: not linearizable, but as fresh as it gets (NATS.md §2.4). */
export const readMessage = async (
  bus: Bus,
  stream: string,
  query: MessageQuery,
): Promise<E.Either<NatsFailure, StoredMessage | undefined>> => {
  const answer = await apiRequest<LeaderAnswer>(bus, `$JS.API.STREAM.MSG.GET.${stream}`, wireQuery(query))
  if (answer._tag === 'Left') return isNoMessage(answer.left) ? E.right(undefined) : answer
  const found = answer.right.message
  return E.right({
    subject: found.subject,
    seq: found.seq,
    body: found.data === undefined ? new Uint8Array() : fromBase64(found.data),
    headers: found.hdrs === undefined ? {} : parseHeaderBlock(fromBase64(found.hdrs)),
    storedAt: Date.parse(found.time),
  })
}

/**
 * The last message of a subject by any replica: cheaper, and possibly stale. To be written back only where a stream has one
 * (sole-replica.ts). What a mirror says in the stream's place is a failure; "there is none" may still be a mirror's.
 */
export const readLastDirect = async (
  bus: Bus,
  stream: string,
  subject: string,
): Promise<E.Either<NatsFailure, StoredMessage | undefined>> => {
  const answer = await request(bus, `$JS.API.DIRECT.GET.${stream}.${subject}`, '', 5_000)
  if (answer._tag === 'Left') return answer
  const msg = answer.right
  const code = msg.headers?.code ?? 0
  if (code === 404) return E.right(undefined)
  if (code >= 300) return E.left({ is: 'other', message: `direct read of ${subject}: ${msg.headers?.status ?? code}` })
  const headers = fromMsgHdrs(msg.headers)
  if (headers['Nats-Stream'] !== stream) return E.left({ is: 'other', message: `direct read of ${subject}: answered by ${headers['Nats-Stream'] ?? 'nobody'}, not by ${stream}` })
  return E.right({
    subject: headers['Nats-Subject'] ?? subject,
    seq: Number(headers['Nats-Sequence']),
    body: msg.data,
    headers,
    storedAt: Date.parse(headers['Nats-Time-Stamp'] ?? ''),
  })
}

type LeaderAnswer = {
  readonly message: {
    readonly subject: string
    readonly seq: number
    readonly data?: string
    readonly hdrs?: string
    readonly time: string
  }
}

const wireQuery = (query: MessageQuery): string =>
  JSON.stringify(
    'seq' in query
      ? { seq: query.seq }
      : 'lastBySubject' in query
        ? { last_by_subj: query.lastBySubject }
        : { seq: query.from, next_by_subj: query.filter },
  )

const isNoMessage = (failure: NatsFailure): boolean =>
  failure.is === 'not-found' && failure.what.includes('no message found')

const fromBase64 = (text: string): Uint8Array => {
  const buffer = Buffer.from(text, 'base64')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
