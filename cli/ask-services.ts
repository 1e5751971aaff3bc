/** Knows how the command line asks the services, and what it means when none of them answers. */
import { ApiQuestion } from '#libs/contracts/api-question.ts'
import { ControlAnswer, ControlQuestion } from '#libs/contracts/control.ts'
import { decode, encode, type Contract } from '#libs/contracts/decode.ts'
import { headerNames, subjects } from '#libs/contracts/subjects.ts'
import { OperatorQuestion, TriggerAnswer, TriggerQuestion } from '#libs/contracts/trigger.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { refusal, type Refusal } from './refusal.ts'

/** The services answer in milliseconds; a cancel looks into the queue first. */
const patienceMs = 5_000

export const trigger = (bus: Bus, conn: string, question: TriggerQuestion): Promise<E.Either<Refusal, TriggerAnswer>> =>
  asked(bus, subjects.trigger(conn), 'scheduler', TriggerQuestion, question, TriggerAnswer)

export const operate = (bus: Bus, conn: string, question: OperatorQuestion): Promise<E.Either<Refusal, TriggerAnswer>> =>
  asked(bus, subjects.operate(conn), 'scheduler', OperatorQuestion, question, TriggerAnswer)

export const cancel = (bus: Bus, conn: ConnectionId, question: ControlQuestion): Promise<E.Either<Refusal, ControlAnswer>> =>
  asked(bus, subjects.control(conn), 'sync-worker', ControlQuestion, question, ControlAnswer)

const asked = async <Q, A>(bus: Bus, subject: string, service: string, questions: Contract<Q>, question: Q, answers: Contract<A>): Promise<E.Either<Refusal, A>> => {
  const answer = await ask(bus)(subject, encode(questions, question), { timeoutMs: patienceMs, headers: { [headerNames.schema]: questions.schema } })()
  if (E.isLeft(answer)) return E.left(unanswered(service, subject)(answer.left))
  return E.mapLeft(({ report }: { readonly report: ReadonlyArray<string> }) => refusal(exitCodes.failed, `the ${service} gave an unreadable answer: ${report.join('; ')}`))(decode(answers, answer.right.body))
}

/** Verbs of the tracker on `sync.api.<verb>`; names in snake_case, as over HTTP (docs/protocol.md). */
export type ApiVerb = 'dlq-list' | 'dlq-show' | 'dlq-redrive' | 'dlq-edit' | 'dlq-discard'

/** The answer as it is: whoever asked knows what to look for in it. */
export const askTracker = async (bus: Bus, verb: ApiVerb, question: ApiQuestion): Promise<E.Either<Refusal, unknown>> => {
  const subject = subjects.api(verb)
  const answer = await ask(bus)(subject, encode(ApiQuestion, question), { timeoutMs: patienceMs, headers: { [headerNames.schema]: ApiQuestion.schema } })()
  if (E.isLeft(answer)) return E.left(unanswered('tracker', subject)(answer.left))
  return E.tryCatch(() => JSON.parse(new TextDecoder().decode(answer.right.body)) as unknown, () => refusal(exitCodes.failed, 'the tracker gave an unreadable answer'))
}

const unanswered = (service: string, subject: string) => (failure: NatsFailure): Refusal => {
  switch (failure.is) {
    case 'no-responders':
      return refusal(exitCodes.failed, `no ${service} answers on ${subject}`, `start one: npm run start:${service}, or npm start for everything`)
    case 'timeout':
      return refusal(exitCodes.failed, `the ${service} did not answer within ${patienceMs / 1_000} s`, '`syncline doctor` looks at what is wrong')
    case 'service-error':
      return refusal(codeOf(failure.code), failure.message)
    case 'denied':
      return refusal(exitCodes.failed, `this NATS user may not ask the ${service}: ${failure.message}`, 'use another with --user or --creds')
    default:
      return refusal(exitCodes.failed, `the ${service} cannot be asked: ${describeNatsFailure(failure)}`)
  }
}

/** The services' refusals carry the HTTP status of the same answer. */
const codeOf = (http: number): ExitCode => {
  if (http === 404) return exitCodes.notFound
  if (http === 409 || http === 423) return exitCodes.busy
  return http === 400 ? exitCodes.usage : exitCodes.failed
}
