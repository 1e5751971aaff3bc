/**
 * Knows how a table is read: a listing by key, or by cursor what changed since. Each page is one statement and sees its own
 * moment; together they are complete because the frame is taken before the first of them. The next page is fetched while
 * the last one is looked at.
 */
import { E } from '../../fp.ts'
import { restoredCode, type SyncFailure } from '../../domain/failure.ts'
import type { ChangePage, ReadAsk, Reader } from '../connector.ts'
import { copyReader, type Row } from './copy-text.ts'
import { arriveAt, decodeCursor, encodeCursor, isUnmoved, orderOf, type Cursor, type Frame, type Midway, type Position } from './cursor.ts'
import type { Database } from './database.ts'
import { takeFrame } from './frame.ts'
import { changeOf, keyOfRow } from './items.ts'
import { deltaPage, listingPage } from './page-sql.ts'
import { rowPages, type RowPage } from './row-page.ts'
import type { Table } from './table.ts'

type Page = E.Either<SyncFailure, ChangePage>

/** Transaction numbers in rows come round after 2^32; beyond half of it older and newer cannot be told apart. */
const halfCircle = 1n << 31n

export const read = (database: Database, table: Table, ask: ReadAsk) => async (): Promise<E.Either<SyncFailure, Reader>> => {
  const framed = await database.on(ask.signal, (session) => takeFrame(session, table))()
  if (E.isLeft(framed)) return framed
  const start = startOf(table, ask, framed.right)
  return E.isLeft(start) ? start : E.right(readerOf(database, table, ask, start.right))
}

type Start = { readonly since: Position | null; readonly midway: Midway }

const startOf = (table: Table, ask: ReadAsk, frame: Frame): E.Either<SyncFailure, Start> => {
  const lost = (message: string, code?: string): E.Either<SyncFailure, never> => E.left({ is: 'cursor-lost', message: `${table.title}: ${message}`, ...(code === undefined ? {} : { code }) })
  const begin = (since: Position | null, what: Midway['what']): Start => ({ since, midway: { what, after: null, top: frame.top, then: arriveAt(since, frame) } })
  if (ask.cursor === null) return E.right(begin(null, 'listing'))
  const cursor = decodeCursor(ask.cursor, orderOf(table))
  if (cursor === null) return lost('the cursor is not one of ours, or it goes by other columns')
  const { since, midway } = cursor
  const behind = BigInt(frame.xmax) - BigInt((midway?.then ?? since)?.xid ?? frame.xmax)
  // A number that was not given yet: what is missing here was not deleted, the database is of a time before (T48).
  if (behind < 0n) return lost('the database was restored or replaced since the cursor was taken', restoredCode)
  if (since !== null && BigInt(frame.xmax) - BigInt(since.xid) >= halfCircle) return lost('too much has happened since the cursor was taken')
  // Read on with the rest of a listing, or not at all: a rest taken for the whole would look like deletions.
  if ((midway?.what === 'listing') !== ask.resuming) return lost('a listing was broken off here')
  if (midway !== undefined) return E.right({ since, midway })
  return E.right(begin(since, table.cursor === null || table.sweep ? 'listing' : 'delta'))
}

/** Rows in memory at a time: about this many bytes, however wide they are. */
const pageBytes = 8 * 1024 * 1024
/** How many rows are asked for before their width is known. */
const firstLimit = 1_000

const readerOf = (database: Database, table: Table, ask: ReadAsk, { since, midway }: Start): Reader => {
  const by = orderOf(table)
  let after: ReadonlyArray<string> | null = midway.after
  let found = 0
  const closing = new AbortController()
  const signal = AbortSignal.any([ask.signal, closing.signal])

  /** Only a first listing shows nothing but whole rows. */
  const asRows = ask.asRows !== undefined && midway.what === 'listing' && since === null ? rowPages(table) : undefined
  const most = asRows === undefined ? ask.limit : Math.max(ask.limit, ask.asRows ?? 0)
  let limit = Math.min(most, firstLimit)

  const rowsOf = (size: number) => database.on<ReadonlyArray<Row>>(signal, async (session) => {
    if (midway.what === 'listing') return E.right(await session.copyOut(listingPage(table, since, after, size)))
    if (table.cursor === null || since === null || midway.top === null) return E.right([])
    return E.right(await session.copyOut(deltaPage(table, table.cursor.column, since, midway.top, after, size)))
  })()

  const fetchRows = async (pageOf: (bytes: Buffer) => RowPage): Promise<Page> => {
    const size = limit
    const bytes = await database.on(signal, async (session) => E.right(await session.copyBytes(listingPage(table, since, after, size))))()
    if (E.isLeft(bytes)) return bytes
    const { batch, count, end } = pageOf(bytes.right)
    found += count
    if (end !== null) {
      after = keyOfRow(table, end)
      limit = limitFor(bytes.right.length / count)
    }
    const changes = (): ChangePage['changes'] => copyReader()(bytes.right).map((row) => changeOf(table, row))
    if (batch === null) return E.right({ changes: changes(), ...whereTo(count < size) })
    let made: ChangePage['changes'] | undefined
    return E.right({ batch, ...whereTo(count < size), get changes() { return (made ??= changes()) } })
  }
  const limitFor = (rowBytes: number): number => Math.max(1, Math.min(most, Math.floor(pageBytes / (rowBytes + 1))))
  const whereTo = (last: boolean): Pick<ChangePage, 'last' | 'resume'> =>
    ({ last, resume: last ? lastResume() : encodeCursor({ by, since, midway: { ...midway, after: after === null ? null : [...after] } } satisfies Cursor) })

  const fetchPage = async (): Promise<Page> => {
    if (asRows !== undefined) return fetchRows(asRows)
    const size = limit
    const rows = await rowsOf(size)
    if (E.isLeft(rows)) return rows
    const last = rows.right.length < size
    const end = rows.right.at(-1)
    if (end !== undefined) {
      after = midway.what === 'listing' ? keyOfRow(table, end) : [end[3] ?? '', ...keyOfRow(table, end)]
      limit = limitFor(widthOf(rows.right))
    }
    const changes = rows.right.map((row) => changeOf(table, row))
    for (const change of changes) if (change.is !== 'seen') found += 1
    return E.right({ changes, ...whereTo(last) })
  }
  const lastResume = (): string | null => {
    if (midway.after === null && ask.cursor !== null && isUnmoved(since, midway.then, found)) return ask.cursor
    return encodeCursor({ by, since: midway.then })
  }

  let ahead: Promise<Page> | null = null
  return {
    coverage: midway.what,
    next: async () => {
      if (signal.aborted) return E.left({ is: 'cancelled', message: `reading ${table.title} was ended` })
      const page = await (ahead ?? fetchPage())
      ahead = E.isRight(page) && !page.right.last ? fetchPage() : null
      return page
    },
    close: async () => {
      if (ahead === null) return
      closing.abort()
      await ahead
    },
  }
}

/** Mean bytes of a row, told by some of them. */
const widthOf = (rows: ReadonlyArray<Row>): number => {
  const step = Math.max(1, Math.floor(rows.length / 50))
  let bytes = 0
  let counted = 0
  for (let n = 0; n < rows.length; n += step, counted++) for (const cell of rows[n] ?? []) bytes += cell?.length ?? 0
  return Math.ceil(bytes / Math.max(1, counted))
}
