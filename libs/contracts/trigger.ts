/** Asked of the scheduler on `sync.trigger.<conn>`; it answers at once (R 6.6, 17.2). An empty question means `{}`. */
import * as t from 'io-ts'
import { RunState } from '../domain/states.ts'
import { contract } from './decode.ts'
import { OperatorWish, RunMode } from './work-item.ts'

export const TriggerQuestion = contract('trigger-question.1', t.partial({
  mode: RunMode,
  dryRun: t.boolean,
  reason: t.string,
  /** `refuse` (default): say "already running". `queue`: keep one more run for afterwards. */
  ifRunning: t.keyof({ refuse: null, queue: null }),
}))
export type TriggerQuestion = t.TypeOf<typeof TriggerQuestion.codec>

/**
 * Asked on `sync.operate.<conn>`, which only operators may publish to: what no request's body can do (SYNC.md §S14).
 * `approve`: let the held plan with this hash run, once. The rest: see `OperatorWish` in work-item.ts.
 */
export const OperatorQuestion = contract('operator-question.1', t.intersection([TriggerQuestion.codec, t.partial({ approve: t.string }), OperatorWish]))
export type OperatorQuestion = t.TypeOf<typeof OperatorQuestion.codec>

/** `code` is the HTTP status of the same answer: 202, 404, 409, 423, 400, 503. */
export const TriggerAnswer = contract('trigger-answer.1', t.intersection([
  t.type({
    answer: t.keyof({ accepted: null, queued: null, 'already-running': null, unknown: null, paused: null, invalid: null, unavailable: null }),
    code: t.number,
    message: t.string,
  }),
  t.partial({ run: t.string, state: RunState, nextAttemptAt: t.number }),
]))
export type TriggerAnswer = t.TypeOf<typeof TriggerAnswer.codec>
