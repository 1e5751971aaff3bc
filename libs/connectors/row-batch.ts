/**
 * Knows rows as the bytes of COPY, which PostgreSQL on both sides of a flow writes and reads alike: a first load hands them
 * on as they came, and no row becomes an object. Pure data. Does not know who reads or writes them.
 */
import type { Checkpoint } from '../domain/checkpoint.ts'

export type RowBatch = {
  /** In the order of the cells; the type as the server writes it, with its limit: `numeric(12,2)`. */
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>
  /** Columns of the key, which are among them. */
  readonly key: ReadonlyArray<string>
  /** Lines of COPY in UTF-8, each ended: the cells of a row. */
  readonly rows: Buffer
  /**
   * Lines of COPY, one for each row: its identity, which is its id as well and its key in the ledger (`ledgerKey` leaves it
   * as it is); its version; `hashOf` its fields. Without NULL and without escapes.
   */
  readonly links: Buffer
  readonly count: number
  /** Identity of the first. */
  readonly firstKey: string
}

/** A batch of rows that are all thought to be new, with what their links share and the checkpoint behind them. */
export type TransactionalLoad = {
  readonly fence: number
  readonly batch: RowBatch
  /** `genA` and `wroteB` of the links. */
  readonly gen: number
  readonly at: number
  readonly checkpoint: Checkpoint
}
