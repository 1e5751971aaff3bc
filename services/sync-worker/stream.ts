/** Knows what a streamed flow carries along while its pages go by. */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { cfgHashOf } from './cfg-hash.ts'
import type { Planned } from './flow-end.ts'
import type { FlowContext } from './run-context.ts'

/** What moves on while the pages go by. */
export type Stream = {
  readonly context: FlowContext
  readonly ledger: TransactionalLedger
  readonly phase: Phase
  readonly gen: number
  /** The configuration changed since the links were made: what is not shown any more left the scope. */
  readonly scopeChanged: boolean
  /** The listing goes on where an earlier run was broken off. */
  readonly resuming: boolean
  cursor: string | null
  /** From here on the cursor stays: something before it is not settled yet. */
  frozen: boolean
  links: number
  parked: number
  seen: number
  /** Pages of a first sync that did not fit one after the other, and how many are not tried at once therefore. */
  readonly loading: { refused: number; spared: number }
  /** Link key → id of the source under which it went away. */
  readonly gone: Map<string, string>
  /** Keys under which the page before stored, dropped or wrote something. */
  readonly touched: Set<string>
  /** Plan that waits for an approval. */
  heldPlan: string | undefined
  /** What keeps the cursor where it is. */
  readonly warnings: Array<string>
  /** What a person may want to know, and nothing waits for. */
  readonly notes: Array<string>
  /** Dry run: the first moves as they would be made, and how many there are. */
  readonly told: Array<Planned>
  toldTotal: number
  /** Dry run of a listing: link keys that were shown, since nothing may be marked in the ledger. */
  readonly toldSeen: Set<string>
  unsettled: SyncFailure | undefined
  /** The source is listed once more by the next run. */
  relists: boolean
}

/** A first sync, or a changed configuration, may create and update but never delete (SYNC.md §0 rule 7). */
export const mayDelete = ({ phase, scopeChanged }: Stream): boolean => phase !== 'first' && !scopeChanged

/** The checkpoint of this stream as it stands now; the fence makes it this run's. */
export const checkpointOf = (stream: Stream, phase: Phase): Checkpoint => ({
  fence: stream.context.hold.fence,
  run: stream.context.item.run,
  phase,
  gen: stream.gen,
  cursorA: stream.cursor,
  cursorB: null,
  cfgHash: cfgHashOf(stream.context.flow),
  pages: 0,
  links: stream.links,
  parked: stream.parked,
  sideA: stream.context.a.identity,
  ...(stream.context.a.principal === undefined ? {} : { principalA: stream.context.a.principal }),
  ...(stream.heldPlan === undefined ? {} : { heldPlan: stream.heldPlan }),
  // Not settled yet: the next attempt must not delete either.
  ...(stream.scopeChanged && phase !== 'delta' ? { withoutDeletes: true } : {}),
})
