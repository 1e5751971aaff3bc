/** What the sync-worker needs from the world, in its own words. start.ts binds these to NATS and the connectors. */
import type { Clock } from '#libs/clock.ts'
import type { Side } from '#libs/connectors/connector.ts'
import type { ArchivedVersion, CreatedItems } from '#libs/contracts/archive.ts'
import type { AuditRecord } from '#libs/contracts/audit.ts'
import type { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import type { DeadLetter, ParkedRecord } from '#libs/contracts/dead-letter.ts'
import type { Progress } from '#libs/contracts/progress.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { LeaseEntry, LedgerPage } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Connection, Flow } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import type { Provenance, Way } from '#libs/domain/provenance.ts'
import type { TE } from '#libs/fp.ts'
import type { Random } from '#libs/random.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import type { SideName } from './classify.ts'

/** How a read or write of `sync_state` can fail. */
export type StoreFailure =
  /** A condition did not hold: somebody (perhaps we) wrote in between. Nothing was stored. */
  | { readonly is: 'refused' }
  /** Not stored for sure; may be tried again. */
  | { readonly is: 'not-stored'; readonly message: string }
  /** It may have been stored, and may still be: the barrier of NATS.md §3.3 comes first. */
  | { readonly is: 'unknown'; readonly message: string }
  | { readonly is: 'broken'; readonly message: string }

export type Stored<A> = { readonly value: A; readonly revision: number }

/** `free`: nobody holds it; `revision` is what the next write must expect (0 = never written). */
export type LeaseSeen = { readonly entry: LeaseEntry | null; readonly revision: number; readonly ageMs: number }

export type PageWrite = { readonly n: number; readonly page: LedgerPage; readonly revision: number }

export type StateStore = {
  readonly readLease: (conn: ConnectionId) => TE.TaskEither<StoreFailure, LeaseSeen>
  readonly writeLease: (conn: ConnectionId, entry: LeaseEntry, expected: number, ttlSeconds: number) => TE.TaskEither<StoreFailure, number>
  /**
   * Gives the lease up, which leaves a marker for a second. Success may only mean that it was sent, before whatever is sent
   * next; one that gets lost ends with its TTL. An expected 0 is refused as `broken`.
   */
  readonly dropLease: (conn: ConnectionId, expected: number) => TE.TaskEither<StoreFailure, void>
  readonly readCheckpoint: (conn: ConnectionId, flow: FlowId) => TE.TaskEither<StoreFailure, Stored<Checkpoint> | null>
  readonly readPages: (conn: ConnectionId, flow: FlowId, pages: ReadonlyArray<number>) => TE.TaskEither<StoreFailure, ReadonlyMap<number, Stored<LedgerPage>>>
  /**
   * One plain publish, conditional on the lease's revision (NATS.md §3.3 rule 3). Answers the checkpoint's revision.
   * `broken` without a lease revision: the server would take 0 for a fence once the lease is gone (NATS.md §3.2).
   */
  readonly writeCheckpoint: (conn: ConnectionId, flow: FlowId, checkpoint: Checkpoint, leaseRevision: number) => TE.TaskEither<StoreFailure, number>
  /**
   * One atomic batch: pages and checkpoint, each on its own revision (0 = there is none, or it was deleted), the lease last
   * (NATS.md §3.3 rule 2). Answers the last revision; the others are the ones before it. `broken` without a lease revision.
   */
  readonly writeBatch: (batch: StateBatch) => TE.TaskEither<StoreFailure, number>
  /** The store was out of reach and is back: it may be another copy. Answers the function that takes the listener off. */
  readonly onReconnect: (listener: () => void) => () => void
}

export type StateBatch = {
  readonly conn: ConnectionId
  readonly flow: FlowId
  readonly pages: ReadonlyArray<PageWrite>
  readonly checkpoint: Stored<Checkpoint>
  readonly lease: Stored<LeaseEntry>
  readonly ttlSeconds: number
}

/** `hash`: of its fields. */
export type Replaced = { readonly version: ArchivedVersion; readonly hash: string }

export type ArchivedByRun = { readonly is: 'version'; readonly version: ArchivedVersion } | { readonly is: 'created'; readonly created: CreatedItems }

/** Where copies came from (libs/domain/provenance.ts), over all connections; keys by `provenanceKey`. */
export type ProvenanceRegistry = {
  readonly read: (keys: ReadonlyArray<string>) => TE.TaskEither<StoreFailure, ReadonlyMap<string, Stored<Provenance | null>>>
  /** `revision`: what stands there now, 0 = nothing ever. */
  readonly write: (key: string, entry: Provenance, revision: number) => TE.TaskEither<StoreFailure, number>
  readonly remove: (key: string, revision: number) => TE.TaskEither<StoreFailure, void>
  /** Whether there still is such a flow. */
  readonly isFlow: (way: Way) => boolean
}

/** Stored for good once it answers; a repetition inside the window is the same message. */
export type Say<A> = (message: A, trace: string | undefined) => TE.TaskEither<SyncFailure, void>

export type Ports = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tracer: Tracer
  readonly worker: string
  readonly state: StateStore
  /** The highest fence that the tracker has heard of this connection; 0 = none. Another stream than the leases' (SYNC.md §A.6). */
  readonly highestFence: (conn: ConnectionId) => TE.TaskEither<StoreFailure, number>
  /** The connection as of `revision` or later; null when it was deleted. */
  readonly connection: (conn: ConnectionId, revision: number) => TE.TaskEither<SyncFailure, Connection | null>
  /** undefined for a flow that cannot bring an item to one place by two ways, nor too far: of its items nothing is noted. */
  readonly provenanceFor: (way: Way) => ProvenanceRegistry | undefined
  readonly openSide: (connection: Connection, flow: Flow, side: SideName, signal: AbortSignal) => TE.TaskEither<SyncFailure, Side>
  readonly askResolver: (question: ConflictQuestion, trace: string | undefined) => TE.TaskEither<SyncFailure, ConflictAnswer>
  readonly sayResult: Say<RunResult>
  readonly sayDead: Say<DeadLetter>
  readonly sayParked: Say<ParkedRecord>
  readonly sayArchived: Say<ReadonlyArray<Replaced>>
  readonly sayCreated: Say<CreatedItems>
  readonly sayAudit: Say<AuditRecord>
  /** All that is archived of one run, oldest first; empty when there is nothing (any more). */
  readonly archivedBy: (conn: ConnectionId, run: string) => TE.TaskEither<SyncFailure, ReadonlyArray<ArchivedByRun>>
  /** The archived version with this sequence; null when there is none. */
  readonly readArchived: (seq: number) => TE.TaskEither<SyncFailure, ArchivedVersion | null>
  readonly sayRequest: (conn: ConnectionId, request: SyncRequest, dedupe: string, trace: string | undefined) => TE.TaskEither<SyncFailure, void>
  readonly sayProgress: (progress: Progress) => void
  /** Most changes of one side that are held in memory, where a flow could go through them page by page; its default: paired-flow.ts. */
  readonly pairedAbove?: number
  readonly count: (metric: 'lease-lost' | 'deferral' | 'dead-letter' | 'items', by: number, facts?: Readonly<Record<string, string>>) => void
}
