/**
 * Knows the cursor's text, and how far it may move when transactions are still open. Pure.
 *
 * A position promises: every row at or below `low` was read, and so was every row that no transaction since `xid` touched.
 * Both together find what a plain "newer than the newest" loses, a row that was written early and committed late (SYNC.md
 * §1.10, T38): `low` waits for the transactions that were open, and `xid` keeps the wait from reading things twice.
 */
import * as t from 'io-ts'
import { E } from '../../fp.ts'
import type { Table } from './table.ts'

const text = t.union([t.string, t.null])

const Position = t.intersection([
  t.type({
    /** Value of the cursor column, exactly as PostgreSQL writes it; null = nothing is settled yet. */
    low: text,
    /** Oldest transaction that was open: all rows of older ones were read. 64 bits, as text. */
    xid: t.string,
  }),
  t.partial({
    /** Where `low` may move to once these transactions have ended (on a standby: all before `before`). */
    mark: t.type({ low: text, open: t.array(t.string), before: t.string }),
  }),
])
export type Position = t.TypeOf<typeof Position>

const Midway = t.type({
  what: t.keyof({ listing: null, delta: null }),
  /** Order columns of the last row that was read; null = none yet. */
  after: t.union([t.array(t.string), t.null]),
  /** Highest cursor value that belongs to this reading. */
  top: text,
  /** The position once it is read to its end. */
  then: Position,
})
export type Midway = t.TypeOf<typeof Midway>

const Cursor = t.intersection([
  t.type({
    /** The columns it goes by: another cursor or key makes it meaningless. */
    by: t.string,
    /** Where the reading began; null = it is the first. */
    since: t.union([Position, t.null]),
  }),
  t.partial({ midway: Midway }),
])
export type Cursor = t.TypeOf<typeof Cursor>

/** What a table's cursors go by. */
export const orderOf = (table: Table): string => JSON.stringify([table.cursor?.column.name ?? null, ...table.key.map(({ name }) => name)])

export const encodeCursor = (cursor: Cursor): string => JSON.stringify(cursor)

/** null = not one of ours. */
export const decodeCursor = (cursor: string, by: string): Cursor | null => {
  const parsed = E.tryCatch(() => JSON.parse(cursor) as unknown, () => null)
  const decoded = E.isLeft(parsed) ? parsed : Cursor.decode(parsed.right)
  return E.isRight(decoded) && decoded.right.by === by ? decoded.right : null
}

/** What the database says at the beginning of a reading, before its first row is read. */
export const Frame = t.type({
  /** Oldest open and next transaction, 64 bits as text. */
  xmin: t.string,
  xmax: t.string,
  standby: t.boolean,
  /** Highest value of the cursor column; null = none, or no such column. */
  top: text,
  /** As far as values can be settled, were no transaction open. */
  bound: text,
  /** Open transactions that may yet write a value at or below `bound`. */
  open: t.array(t.string),
  /** Rows without a value in the cursor column, which no delta would ever find. */
  unplaced: t.boolean,
})
export type Frame = t.TypeOf<typeof Frame>

/** Where a reading that begins in this frame will have arrived. */
export const arriveAt = (since: Position | null, frame: Frame): Position => {
  const { mark } = since ?? {}
  const isOver = mark === undefined || (frame.standby ? BigInt(frame.xmin) >= BigInt(mark.before) : !mark.open.some((transaction) => frame.open.includes(transaction)))
  if (mark !== undefined && !isOver) return { low: since?.low ?? null, xid: frame.xmin, mark }
  const low = mark === undefined ? (since?.low ?? null) : mark.low
  const isBusy = frame.standby ? frame.xmin !== frame.xmax : frame.open.length > 0
  if (low === frame.bound || !isBusy) return { low: frame.bound, xid: frame.xmin }
  return { low, xid: frame.xmin, mark: { low: frame.bound, open: frame.open, before: frame.xmax } }
}

/** Transaction numbers have 32 bits in a row; long before they come round the position is taken anew. */
const oldAge = 1n << 29n

/** Nothing was found and nothing became settled: the old cursor says it all, and a quiet run writes no state. */
export const isUnmoved = (since: Position | null, then: Position, found: number): boolean =>
  since !== null && found === 0 && since.low === then.low && BigInt(then.xid) - BigInt(since.xid) < oldAge
