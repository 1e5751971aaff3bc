/** EFFECT: carries out what the scheduler decided, one effect at a time. */
import type { Perform } from '#libs/actor/actor.ts'
import { poison, retryIn, type Verdict } from '#libs/actor/verdict.ts'
import type { TriggerAnswer } from '#libs/contracts/trigger.ts'
import { E, TE } from '#libs/fp.ts'
import { answerQuestion } from './answer-question.ts'
import type { Ports, StoreFailure, World } from './ports.ts'
import { sayAll } from './say.ts'
import type { Effect, Message } from './state.ts'
import { takeRequest, type KeptFailure } from './take-request.ts'

export type SchedulerFailure = StoreFailure | KeptFailure | { readonly is: 'unfit'; readonly reason: string }

/** What perform needs besides ports and world: ways back into the actor, and to those who asked. */
export type Inside = {
  readonly tell: (message: Message) => void
  readonly nudge: () => void
  readonly answer: (ask: string, answer: TriggerAnswer) => void
}

export const perform = (ports: Ports, world: World, inside: Inside): Perform<Effect, SchedulerFailure> => {
  const say = sayAll(ports, world)
  const take = takeRequest(ports, world)
  const answer = answerQuestion(ports, world)
  return (effect) => {
    switch (effect.do) {
      case 'say':
        return async () => {
          const { unsaid, why } = await say(effect.sayings)
          inside.tell({ is: 'said', unsaid })
          return unsaid.length === 0 ? E.right(undefined) : E.left({ is: 'store', message: `${unsaid.length} of ${effect.sayings.length} slots could not be said: ${why}` })
        }
      case 'remember':
        return TE.map((watermark: number) => inside.tell({ is: 'remembered', watermark }))(ports.rememberWatermark(effect.upTo))
      case 'nudge':
        return TE.fromIO(inside.nudge)
      case 'warn':
        return TE.fromIO(() => world.log.warn(effect.event, effect.facts))
      case 'put-off':
        return async () => {
          world.log.debug('request.put-off', { conn: effect.conn, requestSeq: effect.heard.seq, delayMs: effect.ms })
          return E.left({ is: 'put-off', ms: effect.ms, reason: 'not before its time' })
        }
      case 'reject':
        return TE.left({ is: 'unfit', reason: effect.reason })
      case 'take':
        return take(effect)
      case 'answer':
        return TE.fromIO(() => inside.answer(effect.ask, effect.answer))
      case 'trigger':
        return async () => E.right(inside.answer(effect.ask, await answer(effect)))
    }
  }
}

/** The store is asked again soon; its adapter has waited out elections and short outages already. */
const storeAgainMs = 1_000

export const verdictOf = (failure: SchedulerFailure): Verdict => {
  switch (failure.is) {
    case 'store': return retryIn(storeAgainMs, failure.message)
    case 'put-off': return retryIn(failure.ms, failure.reason)
    case 'unfit': return poison(failure.reason)
  }
}

/** Everything about time goes one after the other, and so does everything about one connection. */
export const keyOf = (message: Message): string => {
  switch (message.is) {
    case 'applied': return message.applied.watched.conn
    case 'deleted': case 'request': case 'question': return message.conn
    case 'loaded': case 'wake': case 'stop': case 'said': case 'remembered': return ' time'
  }
}
