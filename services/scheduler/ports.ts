/** What the scheduler needs from the world, in its own words. start.ts binds these to NATS. */
import type { Clock } from '#libs/clock.ts'
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { TE } from '#libs/fp.ts'
import type { Random } from '#libs/random.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Metrics } from '#libs/telemetry/metrics.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'

/** It could not be stored or read, or nobody knows whether it was; saying it again with the same id is safe. */
export type StoreFailure = { readonly is: 'store'; readonly message: string }

/** `full`: refused, because the subject holds as much as it may. `duplicate`: stored before under this id. */
export type Published = 'stored' | 'duplicate' | 'full'

export type Ports = {
  readonly publishWork: (item: WorkItem, msgId: string, traceparent: string) => TE.TaskEither<StoreFailure, Published>
  readonly publishRequest: (conn: ConnectionId, request: SyncRequest, msgId: string, traceparent: string) => TE.TaskEither<StoreFailure, Published>
  /** Stored once it answers; its run is its id. */
  readonly publishSkipped: (result: RunResult, traceparent: string) => TE.TaskEither<StoreFailure, void>
  readonly publishDeadLetter: (letter: DeadLetter) => TE.TaskEither<StoreFailure, void>
  /** What is queued or running for the connection. */
  readonly lastWork: (lane: 'hot' | 'cold', conn: ConnectionId) => TE.TaskEither<StoreFailure, WorkItem | undefined>
  readonly readStatus: (conn: ConnectionId) => TE.TaskEither<StoreFailure, Status | undefined>
  /** The connection document as it stands now, for those the watch has not brought yet. */
  readonly readDocument: (conn: ConnectionId) => TE.TaskEither<StoreFailure, { readonly body: Uint8Array; readonly revision: number } | undefined>
  readonly readWatermark: TE.TaskEither<StoreFailure, number | undefined>
  /** Moves it forward only. Answers the watermark as it stands: ours, or another replica's that is further. */
  readonly rememberWatermark: (upTo: number) => TE.TaskEither<StoreFailure, number>
}

/** What every effect may use besides. */
export type World = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics
}
