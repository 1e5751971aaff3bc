/** Knows what the scheduler remembers, what it is told and what it wants done. Does not know how it decides. */
import type { Decide } from '#libs/actor/actor.ts'
import type { TriggerAnswer, OperatorQuestion } from '#libs/contracts/trigger.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Heard } from './admit.ts'
import { emptyAgenda, type Agenda, type Saying, type Watched } from './due.ts'

/** A connection document as the scheduler keeps it. `together`: how many were applied with it. */
export type Applied = { readonly watched: Watched; readonly appliedAt: number; readonly together: number }

export type Message =
  /** `look-up`: read because somebody asked, not brought by the watch; it may be older than what the watch brought. */
  | { readonly is: 'applied'; readonly applied: Applied; readonly by: 'watch' | 'look-up' }
  | { readonly is: 'deleted'; readonly conn: ConnectionId; readonly revision: number }
  /** Every document there was at the start has been applied. */
  | { readonly is: 'loaded'; readonly watermark: number | undefined }
  | { readonly is: 'wake' }
  /** The last message: nothing more will be said. */
  | { readonly is: 'stop' }
  | { readonly is: 'said'; readonly unsaid: ReadonlyArray<Saying> }
  | { readonly is: 'remembered'; readonly watermark: number }
  | { readonly is: 'request'; readonly conn: ConnectionId; readonly heard: Heard; readonly parent: string | undefined }
  /** `ask` names the asker, who gets exactly one answer. */
  | { readonly is: 'question'; readonly conn: ConnectionId; readonly ask: string; readonly question: OperatorQuestion; readonly traceparent: string }

export type Effect =
  | { readonly do: 'say'; readonly sayings: ReadonlyArray<Saying> }
  | { readonly do: 'remember'; readonly upTo: number }
  /** Wake now: something may be due. */
  | { readonly do: 'nudge' }
  | { readonly do: 'warn'; readonly event: string; readonly facts: Record<string, unknown> }
  | { readonly do: 'put-off'; readonly conn: ConnectionId; readonly heard: Heard; readonly ms: number }
  | { readonly do: 'reject'; readonly reason: string }
  | { readonly do: 'take'; readonly watched: Watched; readonly heard: Heard; readonly parent: string | undefined; readonly paused: boolean }
  | { readonly do: 'answer'; readonly ask: string; readonly answer: TriggerAnswer }
  | { readonly do: 'trigger'; readonly watched: Watched; readonly ask: string; readonly question: OperatorQuestion; readonly traceparent: string }

export type State = {
  readonly live: boolean
  readonly agenda: Agenda
  /** Until live: when each document was applied. */
  readonly arrivals: Map<ConnectionId, Applied>
  /** Highest revision the watch has brought. */
  readonly seen: number
  /** Everything due up to here was taken out of the agenda. */
  readonly upTo: number
  readonly outbox: ReadonlyArray<Saying>
  /** When something last happened that the watermark has to cover. */
  readonly touchedAt: number
  readonly remembered: number
  readonly triedAt: number
}

export const initialState = (): State => ({
  live: false, agenda: emptyAgenda(), arrivals: new Map(), seen: 0, upTo: 0, outbox: [], touchedAt: 0, remembered: 0, triedAt: 0,
})

export type Decided = ReturnType<Decide<State, Message, Effect>>

/** A watermark or a document from a little ahead is a clock that differs; from further ahead, a clock that was wrong. */
export const clockToleranceMs = 60_000
