/** Knows how a question is read and what is wrong with one. Does not know the answers. */
import { ApiQuestion } from '#libs/contracts/api-question.ts'
import { decode, decodeValue } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'

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
