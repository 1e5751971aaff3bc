/**
 * Knows what a spooled flow asks of its ledger, wherever that keeps links and checkpoint: in pages in KV (kv-ledger.ts), or
 * beside the rows of a transactional destination (beside-ledger.ts). Does not know what a link means.
 */
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import type { E } from '#libs/fp.ts'

/** What is to be stored of some items. */
export type Remembering = { readonly puts: ReadonlyArray<readonly [linkKey: string, link: Link]>; readonly drops: ReadonlyArray<string> }

export type FlowLedger = {
  /** Those that were loaded or put, by link key; the same map for as long as the ledger is open. */
  readonly links: ReadonlyMap<string, Link>
  /** All links of the flow, loaded or not. */
  readonly linkCount: () => number
  /** How many links know an item of each side; in KV among those that were loaded, which is never more. */
  readonly sizes: () => Promise<E.Either<SyncFailure, { readonly source: number; readonly destination: number }>>
  /** Links and checkpoint stand beside the rows, in the destination. */
  readonly isBeside: boolean
  /** Under which link key an identity's link is kept. */
  readonly keyOf: (key: string) => string
  /** False when links were found to be missing: then the others are no base for deletes. Known once all is read. */
  readonly isWhole: () => boolean
  /** Reads the links of these link keys (those kept with them may come along), or all of them. */
  readonly load: (linkKeys: ReadonlyArray<string> | 'all') => Promise<E.Either<SyncFailure, void>>
  /** Only where it is cheaper than all of them: the links that hold these ids of the source. */
  readonly loadBySource?: (remoteIds: ReadonlyArray<string>) => Promise<E.Either<SyncFailure, void>>
  /** Only beside the rows: counts the links anew where some are missing, without holding them; `isWhole` tells then. */
  readonly recount?: () => Promise<E.Either<SyncFailure, void>>
  /** Forgets what was loaded, for the sake of memory. It can be loaded again. */
  readonly letGo: () => void
  /** Links with the same answer are stored together: a commit that touches few of them is a cheap one. */
  readonly pageOf: (linkKey: string) => number
  /** For a first sync: makes room for as many links. */
  readonly expect: (links: number) => void
  /** Stores links and checkpoint in one fenced commit. `fence`, `pages`, `links` and `parked` of the checkpoint are filled in. */
  readonly commit: (puts: Remembering['puts'], drops: Remembering['drops'], checkpoint: Checkpoint) => Promise<E.Either<SyncFailure, Checkpoint>>
  /**
   * Only beside the rows: the same, and writes to the destination in the same transaction; one answer per write. `settle` is
   * called with them, perhaps more than once; `touched`: every link key that it may answer with.
   */
  readonly commitWith?: (
    writes: ReadonlyArray<Write>, touched: ReadonlyArray<string>, settle: (wrote: ReadonlyArray<Wrote>) => Remembering, checkpoint: Checkpoint,
  ) => Promise<E.Either<SyncFailure, readonly [wrote: ReadonlyArray<Wrote>, checkpoint: Checkpoint]>>
}
