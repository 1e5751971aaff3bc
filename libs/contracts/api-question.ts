/** Asked of the tracker on `sync.api.<verb>[.<conn>]` and, with the same names, over HTTP. An empty body means `{}`. */
import * as t from 'io-ts'
import { ConnectionId } from '../domain/ids.ts'
import { contract } from './decode.ts'

export const ApiQuestion = contract('api-question.1', t.partial({
  connection: ConnectionId,
  /** How many answers at most. */
  limit: t.number,
  /** Go on behind this one: a connection id, or a sequence of SYNC_DEAD. */
  after: t.union([t.string, t.number]),
  /** `clear`: leave the latest entry. Default true. */
  keep_latest: t.boolean,
  /** Sequence in SYNC_DEAD. */
  seq: t.number,
  /** Several of them: `dlq-redrive` asks for one run per connection and wish. */
  seqs: t.array(t.number),
  /** `dlq-edit`: what a redrive of it is to ask for (`RedriveWish`, read by itself so that it is exact). */
  request: t.unknown,
  reason: t.string,
  /** Who asks, for the audit. */
  by: t.string,
  /** Only these: `dead-letter` or `parked-record`. */
  type: t.keyof({ 'dead-letter': null, 'parked-record': null }),
  /** Only history entries that ended so. */
  outcome: t.string,
}))
export type ApiQuestion = t.TypeOf<typeof ApiQuestion.codec>
