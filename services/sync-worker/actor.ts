/**
 * Knows which message of the sync-worker goes where. Its state is who runs what: enough to answer a cancel honestly and to
 * hand work back while stopping. How a run goes is told in sync.ts.
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
  | { readonly is: 'ended'; readonly conn: string; readonly run: string }
  | { readonly is: 'stop-now' }

export type State = { readonly running: Readonly<Record<string, string>>; readonly stopping: boolean }

export type Effect =
  | { readonly do: 'play'; readonly work: Extract<Message, { is: 'work' }> }
  | { readonly do: 'hand-back' }
  | { readonly do: 'stop-run'; readonly conn: string; readonly why: 'cancelled' | 'stopping'; readonly reason: string }
  | { readonly do: 'answer'; readonly answer: (answer: ControlAnswer) => void; readonly found: ControlAnswer }

export const initial: State = { running: {}, stopping: false }

export const decide = (state: State, message: Message): { readonly next: State; readonly effects: ReadonlyArray<Effect> } => {
  switch (message.is) {
    case 'work': {
      if (state.stopping) return { next: state, effects: [{ do: 'hand-back' }] }
      const { conn, run } = message.item
      return { next: { ...state, running: { ...state.running, [conn]: run } }, effects: [{ do: 'play', work: message }] }
    }
    case 'ended': {
      if (state.running[message.conn] !== message.run) return { next: state, effects: [] }
      const { [message.conn]: _ended, ...running } = state.running
      return { next: { ...state, running }, effects: [] }
    }
    case 'cancel': {
      const run = state.running[message.conn]
      // Not ours: another worker answers, or the one that looks into the queue.
      if (run === undefined) return { next: state, effects: [] }
      return {
        next: state,
        effects: [
          { do: 'stop-run', conn: message.conn, why: 'cancelled', reason: message.reason },
          { do: 'answer', answer: message.answer, found: { found: 'running', run, message: 'it stops now and keeps what was committed' } },
        ],
      }
    }
    case 'stop-now':
      return {
        next: { ...state, stopping: true },
        effects: Object.keys(state.running).map((conn) => ({ do: 'stop-run', conn, why: 'stopping', reason: 'the worker is stopping' })),
      }
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
