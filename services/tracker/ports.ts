/** Knows what the tracker needs of the world, as function types in its own words. Does not know NATS. */
import type { Alert } from '#libs/contracts/alert.ts'
import type { AuditRecord } from '#libs/contracts/audit.ts'
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { HistoryEntry, Stats, Status } from '#libs/contracts/status.ts'
import type { Lane } from '#libs/contracts/subjects.ts'
import type { TriggerAnswer, TriggerQuestion } from '#libs/contracts/trigger.ts'
import type { TE } from '#libs/fp.ts'

/** `lost-race`: somebody else wrote first, read again. `unavailable`: later. `impossible`: never, as it stands. */
export type Trouble =
  | { readonly is: 'lost-race' }
  | { readonly is: 'unavailable'; readonly message: string }
  | { readonly is: 'impossible'; readonly message: string }

/** `revision` is what the next write has to expect; 0 = nothing was ever there. */
export type Kept<A> = { readonly value: A | undefined; readonly revision: number }

/** One value per connection. */
export type Shelf<A> = {
  readonly read: (conn: string) => TE.TaskEither<Trouble, Kept<A>>
  readonly write: (conn: string, value: A, revision: number) => TE.TaskEither<Trouble, number>
  /** Every connection's value, in no order. */
  readonly each: (visit: (value: A) => void) => TE.TaskEither<Trouble, void>
}

/** Up to 64 entries per connection. */
export type HistoryShelf = {
  readonly latest: (conn: string) => TE.TaskEither<Trouble, Kept<HistoryEntry>>
  readonly append: (conn: string, entry: HistoryEntry, revision: number) => TE.TaskEither<Trouble, number>
  /** Oldest first. */
  readonly all: (conn: string) => TE.TaskEither<Trouble, ReadonlyArray<HistoryEntry>>
  /** Over all connections, at least the `limit` newest, in no order. */
  readonly newest: (limit: number) => TE.TaskEither<Trouble, ReadonlyArray<HistoryEntry>>
  /** Writes the entry and removes every other one in the same step. */
  readonly keepOnly: (conn: string, entry: HistoryEntry, revision: number) => TE.TaskEither<Trouble, void>
  readonly removeAll: (conn: string, revision: number) => TE.TaskEither<Trouble, void>
  readonly connections: TE.TaskEither<Trouble, ReadonlyArray<string>>
}

/** A message out of a stream, as it was stored. Times in ms since the epoch by the server's clock. */
export type Stored = {
  readonly subject: string
  readonly seq: number
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly storedAt: number
}

/** A stored message on its way to the tracker. */
export type Heard = {
  readonly subject: string
  readonly seq: number
  readonly stream: string
  readonly body: Uint8Array
  readonly header: (name: string) => string | undefined
  readonly headers: () => Readonly<Record<string, string>>
  readonly storedAt: number
  readonly deliveryCount: number
}

/** Counts of one lane of the work queue. `pending`: not delivered yet; `inHand`: delivered, neither acknowledged nor given up. */
export type LaneNumbers = { readonly stored: number; readonly pending: number; readonly inHand: number; readonly waitingPulls: number }

/** The stream of work items, as far as the dead are concerned. */
export type WorkQueue = {
  /** Messages that no lane's numbers explain: given up on, or on the move while they were counted. */
  readonly unaccounted: TE.TaskEither<Trouble, number>
  readonly read: (seq: number) => TE.TaskEither<Trouble, Stored | undefined>
  readonly remove: (seq: number) => TE.TaskEither<Trouble, boolean>
  readonly lane: (lane: Lane) => TE.TaskEither<Trouble, LaneNumbers>
  readonly oldest: (lane: Lane, limit: number) => TE.TaskEither<Trouble, ReadonlyArray<Stored>>
}

export type DeadStore = {
  readonly read: (seq: number) => TE.TaskEither<Trouble, Stored | undefined>
  readonly lastSeq: TE.TaskEither<Trouble, number>
  /** From the oldest on, of one connection or of all. */
  readonly list: (conn: string | undefined, fromSeq: number, limit: number) => TE.TaskEither<Trouble, ReadonlyArray<Stored>>
  readonly remove: (seq: number) => TE.TaskEither<Trouble, boolean>
  /** Stores the letter as the edited one of `seq`, once; answers its own sequence. Does not remove the old one. */
  readonly writeEdited: (seq: number, letter: DeadLetter) => TE.TaskEither<Trouble, number | 'duplicate'>
  /** Stored once per (stream, seq) of the original. */
  readonly write: (letter: DeadLetter, traceparent?: string) => TE.TaskEither<Trouble, void>
}

export type Says = {
  /** To whoever listens now; nobody may. */
  readonly alert: (alert: Alert) => void
  /** Stored once per run. */
  readonly result: (result: RunResult, traceparent?: string) => TE.TaskEither<Trouble, void>
  /** `dedupe`: asked for twice with the same is asked for once. */
  readonly request: (conn: string, request: SyncRequest, dedupe: string) => TE.TaskEither<Trouble, 'stored' | 'duplicate'>
  readonly audit: (record: AuditRecord) => TE.TaskEither<Trouble, void>
  readonly trigger: (conn: string, question: TriggerQuestion) => TE.TaskEither<Trouble, TriggerAnswer>
}

/** Errors of the earlier attempts, which travel with the lease; empty when it is gone or may not be read. */
export type AttemptsOf = (conn: string) => Promise<DeadLetter['attempts']>

export type TrackerPorts = {
  readonly status: Shelf<Status>
  readonly stats: Shelf<Stats>
  readonly history: HistoryShelf
  readonly work: WorkQueue
  readonly dead: DeadStore
  readonly says: Says
  readonly attemptsOf: AttemptsOf
}
