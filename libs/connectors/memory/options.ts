/** Knows the habits a side in memory can be given for good; switches for one moment are the store's mischief. */
import type { Fields } from '../../domain/record.ts'

export type MemoryOptions = {
  /** `flaky`: another version on every look; `none`: null, so content must be compared and preconditions cannot be kept. */
  readonly versions?: 'stable' | 'flaky' | 'none'
  /** Writes answer a null version although reads show one (T19). */
  readonly silentWrites?: boolean
  readonly readOnly?: boolean
  /** Links and checkpoint are kept beside the data and committed with it. */
  readonly transactional?: boolean
  readonly delta?: boolean
  readonly tombstones?: boolean
  readonly find?: boolean
  readonly resumableListing?: boolean
  /** Listings only say what is there; contents come by `fetch`. */
  readonly seenOnly?: boolean
  /** A listing says each item so many times (T15). */
  readonly repeats?: number
  /** Most changes in one page, when the asker would take more. */
  readonly pageSize?: number
  readonly batchSize?: number
  /** What is created has its key as its id, as rows have. */
  readonly idsAreKeys?: boolean
  /** What the store makes of the fields it is sent. */
  readonly stores?: (fields: Fields) => Fields
  /** Whether a write tells what was stored when that differs. Default true. */
  readonly tellsStored?: boolean
}
