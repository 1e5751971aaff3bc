/** Knows what the passes of one paired flow share, and what they leave behind. */
import type { Reader, TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { FlowLedger } from './flow-ledger.ts'
import type { Counted } from './paired-count.ts'
import type { Policy } from './plan.ts'
import type { FlowContext } from './run-context.ts'

export type PairedRun = {
  readonly context: FlowContext
  readonly ledger: FlowLedger
  /** The same, where its links can be gone through page by page. */
  readonly beside: TransactionalLedger
  readonly policy: Policy
  /** Number of this reading: marks the links that it put (`genA`). */
  readonly gen: number
  readonly from: { readonly source: string | null; readonly destination: string | null }
  readonly coverage: { readonly source: Reader['coverage']; readonly destination: Reader['coverage'] }
  /** What is stored while the run goes on: cursors as before. */
  readonly between: () => Checkpoint
  /** Links there were when it began. */
  readonly linksBefore: number
  /** Those of them that were set aside. */
  readonly parkedBefore: number
  readonly unsureAfter: number
}

/** One time through both sides. */
export type Passes = {
  /** Nothing is written: what would be is only counted. */
  readonly isCounting: boolean
  /** What was counted before the first write, when it was. */
  readonly allowed: Counted | undefined
  readonly counted: Counted
  checkpoint: Checkpoint | null
  /** Links that either side spoke of; those that neither did are looked at last. */
  linksMet: number
  isEmpty: { source: boolean; destination: boolean }
  /** Something we wrote a moment ago is not shown yet. */
  waits: boolean
  unsettled: SyncFailure | undefined
  readonly warnings: Array<string>
}

export const isListing = ({ coverage }: Pick<PairedRun, 'coverage'>): boolean => coverage.source === 'listing' || coverage.destination === 'listing'
