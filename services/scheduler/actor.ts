/**
 * The scheduler as an actor: which message goes where, and what each wake has to say. perform.ts carries the effects out.
 * Ticks are level-triggered: what was taken from the agenda stays in the outbox until the world has it.
 */
import type { Decide } from '#libs/actor/actor.ts'
import { admitRequest, leavesSidesAlone } from './admit.ts'
import { applied, deleted, loaded } from './documents.ts'
import { floorOf, nextDue, takeDue, windBack } from './due.ts'
import { clockToleranceMs, type Decided, type Effect, type Message, type State } from './state.ts'

/** A crash repeats what was said since; the ids make that harmless. */
const rememberEveryMs = 1_000

export const decide: Decide<State, Message, Effect> = (state, message, now) => {
  switch (message.is) {
    case 'applied': return applied(state, message.applied, message.by, now)
    case 'deleted': return deleted(state, message.conn, message.revision)
    case 'loaded': return loaded(state, message.watermark, now)
    case 'wake': return wake(state, now)
    case 'stop': return remember({ ...state, triedAt: 0 }, now)
    case 'said': return remember({ ...state, outbox: message.unsaid, touchedAt: now }, now)
    case 'remembered': return { next: { ...state, remembered: Math.max(state.remembered, message.watermark) }, effects: [] }
    case 'request': return request(state, message, now)
    case 'question': return question(state, message)
  }
}

const wake = (state: State, now: number): Decided => {
  if (!state.live) return { next: state, effects: [] }
  if (state.outbox.length > 0) return { next: state, effects: [{ do: 'say', sayings: state.outbox }] }
  const isBack = now < state.upTo - clockToleranceMs
  if (isBack) windBack(state.agenda, now)
  const warnings: ReadonlyArray<Effect> = isBack ? [{ do: 'warn', event: 'clock.went-back', facts: { at: now, notBefore: state.upTo } }] : []
  const outbox = takeDue(state.agenda, now)
  const next = { ...state, outbox, upTo: isBack ? now : Math.max(state.upTo, now) }
  if (outbox.length > 0) return { next, effects: [...warnings, { do: 'say', sayings: outbox }] }
  const remembering = remember(next, now)
  return { next: remembering.next, effects: [...warnings, ...remembering.effects] }
}

/** The watermark moves when everything taken has been said, and only as far as nothing is still to be said before it. */
const remember = (state: State, now: number): Decided => {
  const isTimely = state.touchedAt > state.remembered && now - state.triedAt >= rememberEveryMs
  if (!isTimely || state.outbox.length > 0) return { next: state, effects: [] }
  const upTo = Math.min(state.upTo, floorOf(state.agenda))
  return upTo > state.remembered ? { next: { ...state, triedAt: now }, effects: [{ do: 'remember', upTo }] } : { next: state, effects: [] }
}

/** ms until the agenda wants to be looked at. Ticks closer together than 10 ms share a wake. */
export const untilNextWake = (state: State, now: number): number =>
  Math.min(rememberEveryMs, Math.max(10, (nextDue(state.agenda) ?? Number.POSITIVE_INFINITY) - now))

const request = (state: State, { conn, heard, parent }: Extract<Message, { is: 'request' }>, now: number): Decided => {
  const watched = state.agenda.entries.get(conn)
  const admission = admitRequest(watched, heard, now)
  const effect = (): Effect => {
    if (watched === undefined || admission.is === 'unknown') return { do: 'reject', reason: unknownText(conn) }
    if (admission.is === 'later') return { do: 'put-off', conn, heard, ms: admission.ms }
    return { do: 'take', watched, heard, parent, paused: admission.is === 'paused' }
  }
  return { next: state, effects: [effect()] }
}

const question = (state: State, { conn, ask, question: asked, traceparent }: Extract<Message, { is: 'question' }>): Decided => {
  const watched = state.agenda.entries.get(conn)
  const effect = (): Effect => {
    if (watched === undefined) return { do: 'answer', ask, answer: { answer: 'unknown', code: 404, message: unknownText(conn) } }
    if (watched.paused && !leavesSidesAlone(asked)) return { do: 'answer', ask, answer: { answer: 'paused', code: 423, message: `${conn} is paused; resume it first` } }
    return { do: 'trigger', watched, ask, question: asked, traceparent }
  }
  return { next: state, effects: [effect()] }
}

export const unknownText = (conn: string): string => `no connection is called "${conn}"`
