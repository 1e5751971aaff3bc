/**
 * Asked of the tracker on `sync.api.<verb>[.<conn>]` and, with the same names, over HTTP. An empty body means `{}`.
 * Knows the questions and what is wrong with one; does not know the answers.
 */
import * as t from 'io-ts'
import { contract, decode, decodeValue } from '#libs/contracts/decode.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'

export const ApiQuestion = contract('api-question.1', t.partial({
  connection: ConnectionId,
  /** How many answers at most. */
  limit: t.number,
  /** Go on behind this one: a connection id, or a sequence of SYNC_DEAD. */
  after: t.union([t.string, t.number]),
  keep_latest: t.boolean,
  /** Sequence in SYNC_DEAD. */
  seq: t.number,
  reason: t.string,
  /** Only these: `dead-letter` or `parked-record`. */
  type: t.keyof({ 'dead-letter': null, 'parked-record': null }),
  /** Only history entries that ended so. */
  outcome: t.string,
}))
export type ApiQuestion = t.TypeOf<typeof ApiQuestion.codec>

/** `code`: the HTTP status of the same refusal. `name` for programs, `message` and `mend` for people. */
export type Refusal = { readonly code: number; readonly name: string; readonly message: string; readonly mend?: string }

export const refusal = (code: number, name: string, message: string, mend?: string): Refusal =>
  mend === undefined ? { code, name, message } : { code, name, message, mend }

/** The connection in the subject stands above one in the body: a subject is what permissions are given for. */
export const questionIn = (body: Uint8Array, subjectConn: string | undefined): E.Either<Refusal, ApiQuestion> => {
  const asked = body.length === 0 ? E.right({}) : decode(ApiQuestion, body)
  if (asked._tag === 'Left') return E.left(badQuestion(asked.left.report))
  return subjectConn === undefined ? asked : questionOf({ ...asked.right, connection: subjectConn })
}

export const questionOf = (value: unknown): E.Either<Refusal, ApiQuestion> => {
  const asked = decodeValue(ApiQuestion, value)
  return asked._tag === 'Left' ? E.left(badQuestion(asked.left.report)) : asked
}

const badQuestion = (report: ReadonlyArray<string>): Refusal =>
  refusal(400, 'bad-question', report.join('; '), 'docs/protocol.md lists what can be asked')

/** A whole number from 1 to `most`; `otherwise` when nothing was said. */
export const limitIn = ({ limit }: ApiQuestion, otherwise: number, most: number): E.Either<Refusal, number> => {
  if (limit === undefined) return E.right(otherwise)
  return Number.isInteger(limit) && limit >= 1 && limit <= most
    ? E.right(limit)
    : E.left(refusal(400, 'bad-limit', `limit must be a whole number from 1 to ${most}, not ${limit}`, `leave it out for ${otherwise}`))
}
