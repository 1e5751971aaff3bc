/**
 * EFFECT: the scheduler's three doors. Everything that comes in is decoded here, and whoever sent it gets an answer:
 * a document is watched, a request gets a verdict, a question exactly one answer. Does not know NATS.
 */
import type { Mailbox } from '#libs/actor/mailbox.ts'
import { poison, retryIn, type Verdict } from '#libs/actor/verdict.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, type BadMessage, type Contract } from '#libs/contracts/decode.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { connectionInSubject, headerNames, isOperation } from '#libs/contracts/subjects.ts'
import { OperatorQuestion, TriggerQuestion, type TriggerAnswer } from '#libs/contracts/trigger.ts'
import { laneOf } from '#libs/domain/connection.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { notBeforeOf, wishesOf } from './admit.ts'
import { unknownText } from './actor.ts'
import { deadLetterOf, type Letter } from './dead-letter-of.ts'
import type { Ports, World } from './ports.ts'
import type { Applied, Message, State } from './state.ts'

export type Doors = {
  /** `value` null = deleted. Resolves when the actor knows. */
  readonly document: (key: string, value: Uint8Array | null, revision: number) => Promise<void>
  /** A verdict `poison` means: the dead letter is stored already. */
  readonly request: (letter: Letter) => Promise<Verdict>
  readonly question: (subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>) => Promise<TriggerAnswer>
}

type Box = Pick<Mailbox<State, Message>, 'post' | 'state'>
/** `expect` gives the promise of the answer that the actor will give to `ask`. */
export type Answers = { readonly expect: (ask: string) => Promise<TriggerAnswer>; readonly forget: (ask: string) => void }

const storeAgainMs = 2_000

export const doors = (ports: Ports, world: World, box: Box, answers: Answers): Doors => {
  const bad = (message: BadMessage, conn: string): void => {
    world.metrics.count('syncline.bad_messages', { schema: message.codec })
    world.log.warn('message.bad', { conn, codec: message.codec, report: message.report })
  }

  const document: Doors['document'] = async (key, value, revision) => {
    if (value === null) return void (ConnectionId.is(key) && (await box.post({ is: 'deleted', conn: key, revision })))
    const applied = readDocument(key, value, revision)
    if (E.isRight(applied)) await box.post({ is: 'applied', applied: applied.right, by: 'watch' })
    else bad(applied.left, key) // the version before it stays in force
  }

  /** Somebody may ask before the watch brought the document. Right when the actor knows the connection, or nobody does. */
  const lookUp = async (conn: ConnectionId): Promise<E.Either<ReturnType<typeof retryIn | typeof poison>, void>> => {
    if (box.state().agenda.entries.has(conn)) return E.right(undefined)
    const found = await ports.readDocument(conn)()
    if (E.isLeft(found)) return E.left(retryIn(storeAgainMs, found.left.message))
    if (found.right === undefined) return E.right(undefined)
    const applied = readDocument(conn, found.right.body, found.right.revision)
    if (E.isLeft(applied)) return E.left(poison(`the document of ${conn} cannot be read`, applied.left.report))
    await box.post({ is: 'applied', applied: applied.right, by: 'look-up' })
    return E.right(undefined)
  }

  const verdictOn = async (letter: Letter): Promise<Verdict> => {
    const token = connectionInSubject(letter.subject)
    if (!ConnectionId.is(token)) return poison(`"${token}" is not a connection id`)
    const request = decodeOrEmpty(SyncRequest, letter.body)
    if (E.isLeft(request)) {
      bad(request.left, token)
      return poison(`not a ${request.left.codec}`, request.left.report)
    }
    const notBefore = notBeforeOf(request.right)
    if (notBefore === null) return poison(`not a ${SyncRequest.schema}`, ['notBefore: expected ms since the epoch or an RFC 3339 time'])
    const known = await lookUp(token)
    if (E.isLeft(known)) return known.left
    const heard = { seq: letter.seq, storedAt: letter.storedAt, deliveries: letter.deliveries, request: request.right, notBefore }
    return box.post({ is: 'request', conn: token, heard, parent: letter.headers[headerNames.traceparent] })
  }

  const request: Doors['request'] = async (letter) => {
    const verdict = await verdictOn(letter)
    if (verdict.is !== 'poison') return verdict
    world.metrics.count('syncline.requests', { outcome: 'dead' })
    world.log.warn('request.dead', { conn: connectionInSubject(letter.subject), requestSeq: letter.seq, why: verdict.reason, report: verdict.report })
    const kept = await ports.publishDeadLetter(deadLetterOf(letter, verdict, world.clock.now()))()
    return E.isRight(kept) ? verdict : retryIn(storeAgainMs, kept.left.message)
  }

  const question: Doors['question'] = (subject, body, headers) => {
    const token = connectionInSubject(subject)
    return world.tracer.span('sync.trigger', { parent: headers[headerNames.traceparent], attributes: { conn: token } }, async (span) => {
      const answer = await answerTo(token, isOperation(subject), body, span.traceparent)
      span.set({ answer: answer.answer, code: answer.code, ...(answer.run === undefined ? {} : { run: answer.run }) })
      world.log.info('trigger.answered', { conn: token, answer: answer.answer, run: answer.run, traceId: span.traceId })
      return answer
    })
  }

  const answerTo = async (token: string, byOperator: boolean, body: Uint8Array, traceparent: string): Promise<TriggerAnswer> => {
    if (!ConnectionId.is(token)) return { answer: 'unknown', code: 404, message: unknownText(token) }
    const asked: E.Either<BadMessage, OperatorQuestion> = byOperator ? decodeOrEmpty(OperatorQuestion, body) : E.map(plainWish)(decodeOrEmpty(TriggerQuestion, body))
    if (E.isLeft(asked)) {
      bad(asked.left, token)
      return { answer: 'invalid', code: 400, message: `not a ${asked.left.codec}: ${asked.left.report.join('; ')}` }
    }
    if (wishesOf(asked.right) > 1) return { answer: 'invalid', code: 400, message: 'approve, restore, reset, undo: one of them at a time' }
    const known = await lookUp(token)
    if (E.isLeft(known)) return unavailable(known.left.is === 'poison' ? `${known.left.reason}: ${known.left.report.join('; ')}` : known.left.reason)
    const ask = world.random.token()
    const answered = answers.expect(ask)
    const verdict = await box.post({ is: 'question', conn: token, ask, question: asked.right, traceparent })
    if (verdict.is === 'done') return answered
    answers.forget(ask)
    return unavailable(verdict.reason)
  }

  return { document, request, question }
}

/** Fields that the codec does not name are still there after decoding: an operator's must not come in by this door. */
const plainWish = ({ mode, dryRun, reason, ifRunning }: TriggerQuestion): TriggerQuestion => ({
  ...(mode === undefined ? {} : { mode }),
  ...(dryRun === undefined ? {} : { dryRun }),
  ...(reason === undefined ? {} : { reason }),
  ...(ifRunning === undefined ? {} : { ifRunning }),
})

const unavailable = (message: string): TriggerAnswer => ({ answer: 'unavailable', code: 503, message })

/** `nats pub sync.request.x ''` and `nats req sync.trigger.x ''` say nothing, which means: the plain wish. */
const decodeOrEmpty = <A>(contract: Contract<A>, body: Uint8Array): E.Either<BadMessage, A> =>
  decode(contract, body.every((byte) => byte <= 0x20) ? emptyObject : body)

const emptyObject = new TextEncoder().encode('{}')

const readDocument = (key: string, value: Uint8Array, revision: number): E.Either<BadMessage, Applied> => {
  const decoded = decode(ConnectionDocument, value)
  if (E.isLeft(decoded)) return decoded
  const { connection, appliedAt, appliedTogether = 1 } = decoded.right
  if (connection.id !== key) return E.left({ is: 'bad-message', codec: ConnectionDocument.schema, report: [`connection.id: expected the key ${key}, found ${connection.id}`] })
  const watched = { conn: connection.id, schedule: connection.schedule, lane: laneOf(connection), paused: connection.paused ?? false, revision }
  return E.right({ watched, appliedAt, together: appliedTogether })
}
