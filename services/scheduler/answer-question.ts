/** EFFECT: a question on `sync.trigger.<conn>` becomes work at once, or an honest answer why not (R 6.6, 17.2). */
import type { TriggerAnswer, OperatorQuestion } from '#libs/contracts/trigger.ts'
import { E } from '#libs/fp.ts'
import { answerBusy, isOperators, requestOfQuestion, workOfQuestion } from './admit.ts'
import type { Watched } from './due.ts'
import { mint } from './mint.ts'
import type { Ports, World } from './ports.ts'

export type Asked = { readonly watched: Watched; readonly question: OperatorQuestion; readonly traceparent: string }

/** Never fails: what the store refuses is an answer too (503). */
export const answerQuestion = (ports: Ports, world: World) => async ({ watched, question, traceparent }: Asked): Promise<TriggerAnswer> => {
  const minted = mint(world)
  const { item, msgId } = workOfQuestion(watched, question, minted)
  const accepted: TriggerAnswer = { answer: 'accepted', code: 202, message: `${watched.conn}: run ${item.run} is queued`, run: item.run, state: 'queued' }

  const published = await ports.publishWork(item, msgId, traceparent)()
  if (E.isLeft(published)) return unavailable(`the run could not be queued: ${published.left.message}`)
  if (published.right !== 'full') return accepted

  if (question.ifRunning === 'queue' && !isOperators(question)) {
    const queued = await ports.publishRequest(watched.conn, requestOfQuestion(question, minted.run), minted.token, traceparent)()
    if (E.isLeft(queued)) return unavailable(`the request could not be stored: ${queued.left.message}`)
    if (queued.right === 'full') return unavailable(`${watched.conn} has as many requests waiting as it may; try again when some have run`)
    return { answer: 'queued', code: 202, message: `${watched.conn} is busy; run ${minted.run} follows`, run: minted.run, state: 'queued' }
  }

  const [work, status] = await Promise.all([ports.lastWork(watched.lane, watched.conn)(), ports.readStatus(watched.conn)()])
  if (E.isLeft(work) || work.right !== undefined) {
    // It is busy for sure; what cannot be read is only left out of the answer
    return answerBusy(watched, E.isRight(work) ? work.right : undefined, E.isRight(status) ? status.right : undefined)
  }
  // It ended between the refusal and the look
  const again = await ports.publishWork(item, msgId, traceparent)()
  if (E.isLeft(again)) return unavailable(`the run could not be queued: ${again.left.message}`)
  return again.right === 'full' ? answerBusy(watched, undefined, undefined) : accepted
}

const unavailable = (message: string): TriggerAnswer => ({ answer: 'unavailable', code: 503, message })
