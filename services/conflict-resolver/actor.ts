/**
 * The conflict-resolver as an actor without state: one question in, one answer or a refusal out, whatever is sent.
 * Knows the door (size, decoding, tracing, counting). Does not know who wins: resolve.ts does.
 */
import { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { headerNames, subjects } from '#libs/contracts/subjects.ts'
import { Strategy } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { OpenSpan } from '#libs/telemetry/trace.ts'
import type { AnswerQuestion, Ports, Refusal } from './ports.ts'
import { resolve } from './resolve.ts'

/** The refusal travels in a header: the first mistakes are enough to mend the rest. */
const mistakesTold = 5
const longestRefusal = 2_000

export const answerQuestions = (ports: Ports, { maxBodyBytes }: { readonly maxBodyBytes: number }): AnswerQuestion => (subject, body, headers) => {
  const parent = headers[headerNames.traceparent]
  return ports.tracer.span('resolver.resolve', { parent, attributes: { subject, bytes: body.length } }, async (span) => {
    const startedAt = ports.clock.monotonic()
    const question = readQuestion(subject, body, maxBodyBytes)
    if (E.isLeft(question)) return E.left(refuse(ports, span, question.left))
    const { conn, flow, run, strategy, kind, items } = question.right
    span.set({ conn, flow, run, strategy, kind, items: items.length })
    const answered = answerTo(question.right, maxBodyBytes)
    if (E.isLeft(answered)) return E.left(refuse(ports, span, answered.left))
    tell(ports, span, answered.right, ports.clock.monotonic() - startedAt)
    return E.right(answered.right.bytes)
  })
}

type Refused = Refusal & { readonly report?: ReadonlyArray<string>; readonly conn?: string }
type Answered = { readonly question: ConflictQuestion; readonly answer: ConflictAnswer; readonly bytes: Uint8Array }

const readQuestion = (subject: string, body: Uint8Array, maxBytes: number): E.Either<Refused, ConflictQuestion> => {
  const strategy = Object.keys(Strategy.keys).find((name) => subjects.resolve(name) === subject)
  if (strategy === undefined) return E.left({ code: 404, message: `unknown strategy: ${subject}; there are ${Object.keys(Strategy.keys).join(', ')}` })
  if (body.length > maxBytes) return E.left({ code: 413, message: `the question has ${body.length} bytes, the limit is ${maxBytes}: ask about fewer items at once` })
  const decoded = decode(ConflictQuestion, body)
  if (E.isLeft(decoded)) {
    const { report } = decoded.left
    const more = report.length > mistakesTold ? `; and ${report.length - mistakesTold} more` : ''
    return E.left({ code: 400, message: `not a ${ConflictQuestion.schema}: ${report.slice(0, mistakesTold).join('; ')}${more}`, report })
  }
  if (decoded.right.strategy !== strategy) {
    return E.left({ code: 400, message: `asked on ${subject}, but the body says strategy ${decoded.right.strategy}`, conn: decoded.right.conn })
  }
  return decoded
}

const answerTo = (question: ConflictQuestion, maxBytes: number): E.Either<Refused, Answered> => {
  const resolved = resolve(question)
  if (E.isLeft(resolved)) return E.left({ code: 403, message: resolved.left.message, conn: question.conn })
  const bytes = encode(ConflictAnswer, resolved.right)
  if (bytes.length <= maxBytes) return E.right({ question, answer: resolved.right, bytes })
  return E.left({ code: 413, message: `the answer has ${bytes.length} bytes, the limit is ${maxBytes}: ask about fewer items at once`, conn: question.conn })
}

const refuse = ({ log, metrics }: Ports, span: OpenSpan, { code, message, report, conn }: Refused): Refusal => {
  // Only the code goes into logs and spans: the message to the asker may quote what the asker sent.
  span.fail(`refused with ${code}`)
  log.warn('resolver.refused', { code, conn, report, traceId: span.traceId })
  if (code === 400) metrics.count('syncline.bad_messages', { schema: ConflictQuestion.schema })
  return { code, message: message.slice(0, longestRefusal) }
}

const tell = ({ log, metrics }: Ports, span: OpenSpan, { question: { conn, flow, run, strategy, kind }, answer }: Answered, durationMs: number): void => {
  const counts = { source: 0, destination: 0, merged: 0, hold: 0 }
  for (const { take } of answer.decisions) counts[take] += 1
  for (const [take, by] of Object.entries(counts)) if (by > 0) metrics.count('syncline.conflicts', { strategy, take, kind }, by)
  metrics.observe('syncline.resolve.duration', durationMs / 1_000, { strategy })
  log.debug('resolver.decided', { conn, flow, run, strategy, kind, counts, durationMs: Math.round(durationMs), traceId: span.traceId })
}
