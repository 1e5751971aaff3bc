/**
 * Knows which message of the sync-worker goes where. It hands work back while stopping. How a run goes is told in sync.ts.
 */
import type { Actor } from '#libs/actor/actor.ts'
import { retryIn, type Verdict } from '#libs/actor/verdict.ts'
import type { ControlAnswer } from '#libs/contracts/control.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { TE } from '#libs/fp.ts'
import type { Letter } from './conclude.ts'

export type Message =
  | { readonly is: 'work'; readonly item: WorkItem; readonly attempt: number; readonly trace: string | undefined; readonly letter: Letter; readonly stillWorking: () => Promise<void> }
  | { readonly is: 'cancel'; readonly conn: string; readonly reason: string; readonly answer: (answer: ControlAnswer) => void }
  | { readonly is: 'stop-now' }

/** Who runs what is known to the performer's switches: a state that listed it would be copied with every run. */
export type State = { readonly stopping: boolean }

export type Effect =
  | { readonly do: 'play'; readonly work: Extract<Message, { is: 'work' }> }
  | { readonly do: 'hand-back' }
  /** Ends the run of this connection, if it is ours, and says so; if not, another worker answers. */
  | { readonly do: 'cancel'; readonly conn: string; readonly reason: string; readonly answer: (answer: ControlAnswer) => void }
  | { readonly do: 'stop-all' }

export const initial: State = { stopping: false }

export const decide = (state: State, message: Message): { readonly next: State; readonly effects: ReadonlyArray<Effect> } => {
  switch (message.is) {
    case 'work':
      return { next: state, effects: [state.stopping ? { do: 'hand-back' } : { do: 'play', work: message }] }
    case 'cancel':
      return { next: state, effects: [{ do: 'cancel', conn: message.conn, reason: message.reason, answer: message.answer }] }
    case 'stop-now':
      return { next: { stopping: true }, effects: [{ do: 'stop-all' }] }
  }
}

/** A run is keyed by its connection; what is said *about* a run must not wait behind it. */
export const keyOf = (message: Message): string => (message.is === 'work' ? message.item.conn : `about:${'conn' in message ? message.conn : message.is}`)

export const workerActor = (perform: (effect: Effect) => TE.TaskEither<Verdict, void>): Actor<State, Message, Effect, Verdict> => ({
  name: 'sync-worker',
  initial,
  decide,
  perform,
  keyOf,
  verdictOf: (verdict) => verdict,
})

export const handedBack: Verdict = retryIn(1, 'the worker is stopping')
