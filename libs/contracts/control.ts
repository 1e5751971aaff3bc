/** Asked on `sync.control.<conn>` of the workers; only the one that runs the connection answers. */
import * as t from 'io-ts'
import { contract } from './decode.ts'

export const ControlQuestion = contract('control-question.1', t.intersection([
  t.type({ verb: t.keyof({ cancel: null }) }),
  t.partial({ run: t.string, reason: t.string }),
]))
export type ControlQuestion = t.TypeOf<typeof ControlQuestion.codec>

/** What the cancel found: `running` (it stops now), `queued` (taken out of the queue), `over` (nothing to cancel). */
export const ControlAnswer = contract('control-answer.1', t.intersection([
  t.type({ found: t.keyof({ running: null, queued: null, over: null }) }),
  t.partial({ run: t.string, message: t.string }),
]))
export type ControlAnswer = t.TypeOf<typeof ControlAnswer.codec>
