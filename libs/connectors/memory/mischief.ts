/** Knows what a store in memory can be told to do wrong for a moment, and how it logs what was asked of it. */
import type { SyncFailure } from '../../domain/failure.ts'
import type { Write, Wrote } from '../connector.ts'

export type MemoryWrite = { readonly write: Write; readonly answer: Wrote['is']; readonly applied: boolean }

/** Switches a test may turn at any time. Counts go down by one each time they strike. */
export type Mischief = {
  readOnly: boolean
  /** The next n writes fail and change nothing. */
  failWrites: number
  /** The next n writes are applied, and their answers lost. */
  loseAnswers: number
  /** The next n calls of read, of a page, fetch or find fail. */
  failReads: number
  /** What a failing read or write says; unavailable when absent. */
  failure?: SyncFailure
  /** Items with these keys are never accepted. */
  readonly refuseKeys: Set<string>
  /** Called before each page is read, before each write is looked at. */
  beforePage?: () => void
  beforeWrite?: (write: Write) => void
}

export const noMischief = (): Mischief => ({ readOnly: false, failWrites: 0, loseAnswers: 0, failReads: 0, refuseKeys: new Set() })
