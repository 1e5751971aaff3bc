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
  /** A first sync, or a changed configuration, may create and update but never delete (SYNC.md §0 rule 7). */
  readonly deletesAllowed: boolean
  cursor: string | null
  /** From here on the cursor stays: something before it is not settled yet. */
  frozen: boolean
  links: number
  parked: number
  seen: number
  readonly gone: Array<string>
  readonly warnings: Array<string>
  /** Dry run: the first moves as they would be made, and how many there are. */
  readonly told: Array<Planned>
  toldTotal: number
  unsettled: SyncFailure | undefined
}

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
})
