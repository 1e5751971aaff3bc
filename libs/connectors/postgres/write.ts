/**
 * Knows how writes are carried out inside a transaction: in bulk, and when the server refuses a bulk, by halving until the
 * rows at fault stand alone. Savepoints keep what was done. Does not begin or commit.
 */
import { E } from '../../fp.ts'
import { badItem, needsPerson, type SyncFailure } from '../../domain/failure.ts'
import type { Write, Wrote } from '../connector.ts'
import { bisect } from './bisect.ts'
import { copyLine } from './copy-text.ts'
import { faultOf, type Database } from './database.ts'
import { findRows } from './find.ts'
import { itemOf, keyText } from './items.ts'
import { piecesOf, type Line, type Piece } from './pieces.ts'
import type { Session } from './session.ts'
import { meaningOf } from './sqlstate.ts'
import type { Table } from './table.ts'
import { textArray } from './text-array.ts'
import { columnsOf, copyInto, insert, present, remove, update, versionOf } from './write-sql.ts'

/** Below this COPY and its look at the version cost more than one INSERT. */
const worthCopying = 50

/** Starts a savepoint that every failed attempt goes back to; after a successful one it is moved on. */
export const savepoint = 'SAVEPOINT piece'
const keep = 'RELEASE piece; SAVEPOINT piece'
const undo = 'ROLLBACK TO piece'

/** One answer per write. Throws what concerns more than single rows. */
export const carryOut = async (database: Database, session: Session, table: Table, writes: ReadonlyArray<Write>): Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>> => {
  const { pieces, answered, drift } = piecesOf(table, writes)
  if (drift !== null) return E.left(needsPerson(`${database.place}: ${drift}`, `add the columns to ${table.title}, or leave them out of the flow`, { code: '42703' }))
  const answers = new Map(answered)
  const later: Array<Piece> = []
  for (const piece of pieces) {
    await applyPiece(database, session, table, piece, answers)
    // What hangs on another row of the same chunk gets a second chance once all are written (23503, and 23505 of swaps).
    const lines = piece.lines.filter(({ at }) => waitsForOthers(answers.get(at)))
    if (lines.length > 0) later.push({ ...piece, lines })
  }
  for (const piece of later) await applyPiece(database, session, table, piece, answers)
  await readBack(session, table, pieces, answers)
  return E.right(writes.map((_, at) => answers.get(at) ?? { is: 'stale' }))
}

const waitsForOthers = (answer: Wrote | undefined): boolean => answer?.is === 'refused' && (answer.failure.code === '23503' || answer.failure.code === '23505')

type Answers = Map<number, Wrote>

const applyPiece = async (database: Database, session: Session, table: Table, piece: Piece, answers: Answers): Promise<void> => {
  let known: SyncFailure | undefined
  if (piece.do === 'create' && piece.lines.length >= worthCopying && !table.rewrites) {
    const copied = await attempt(database, session, () => copyAll(session, table, piece, answers), ['23505', '0A000', '42501'])
    if (E.isRight(copied)) return
    // A row that is there already, or a table that COPY does not serve: INSERT copes with both.
    if (copied.left.code !== '23505' && copied.left.is === 'bad-item') known = copied.left
  }
  const inserted = new Set<string>()
  const refused = await bisect(piece.lines.length, (from, to) => attempt(database, session, () => statement(session, table, piece, from, to, inserted, answers)), known)
  for (const [n, failure] of refused) {
    const at = piece.lines[n]?.at
    if (at !== undefined) answers.set(at, { is: 'refused', failure })
  }
  if (piece.do === 'create') await tellCreated(session, table, piece.lines.filter((_, n) => !refused.has(n)), inserted, answers)
}

/** Left: single rows are at fault (or one of the codes that are forgiven), and nothing of it stays. */
export const attempt = async (database: Database, session: Session, work: () => Promise<void>, forgiven: ReadonlyArray<string> = []): Promise<E.Either<SyncFailure, void>> => {
  try {
    await work()
  } catch (cause) {
    const fault = faultOf(cause)
    if (meaningOf(fault).is !== 'item' && !forgiven.includes(fault.code ?? '')) throw cause
    await session.query(undo)
    return E.left(database.failure(cause))
  }
  await session.query(keep)
  return E.right(undefined)
}

const copyAll = async (session: Session, table: Table, piece: Piece, answers: Answers): Promise<void> => {
  await session.copyIn(copyInto(table, piece.columns), piece.lines.map(({ cells }) => copyLine(cells)))
  const { rows } = await session.query(versionOf(table), [...(piece.lines[0]?.keyAfter ?? [])])
  for (const line of piece.lines) answers.set(line.at, done(line, rows[0]?.[0] ?? null))
}

const statement = async (session: Session, table: Table, piece: Piece, from: number, to: number, inserted: Set<string>, answers: Answers): Promise<void> => {
  const run = (sql: string) => session.query(sql, columnsOf(table, piece, from, to).map(textArray)).then(({ rows }) => rows)
  if (piece.do === 'create') {
    for (const key of await run(insert(table, piece.columns))) inserted.add(keyText(key.map((part) => part ?? '')))
    return
  }
  const lines = piece.lines.slice(from, to)
  const rows = await run(piece.do === 'update' ? update(table, piece.columns) : remove(table))
  for (const { at } of lines) answers.set(at, { is: 'stale' })
  for (const [place, version] of rows) {
    const line = lines[Number(place) - 1]
    if (line !== undefined) answers.set(line.at, done(line, version ?? null))
  }
}

/** What is there and was not inserted by us was there before, or is another line of ours in another spelling. */
const tellCreated = async (session: Session, table: Table, lines: ReadonlyArray<Line>, inserted: Set<string>, answers: Answers): Promise<void> => {
  if (lines.length === 0) return
  const dropped: Wrote = { is: 'refused', failure: badItem(`${table.title} did not keep it: a trigger or a rule dropped the row`) }
  for (const { at } of lines) answers.set(at, dropped)
  const { rows } = await session.query(present(table), table.key.map((_, n) => textArray(lines.map(({ keyAfter }) => keyAfter[n] ?? ''))))
  for (const [place, version, ...key] of rows) {
    const line = lines[Number(place) - 1]
    const remoteId = keyText(key.map((part) => part ?? ''))
    if (line !== undefined) answers.set(line.at, inserted.delete(remoteId) ? done(line, version ?? null) : { is: 'exists', remoteId })
  }
}

const done = ({ keyAfter, stored }: Line, version: string | null): Wrote =>
  ({ is: 'done', remoteId: keyText(keyAfter), version, ...(stored === 'sent' || stored === null ? {} : { fields: stored }) })

/** Rows that may be stored in another form than they were sent in are looked at, in the same transaction. */
const readBack = async (session: Session, table: Table, pieces: ReadonlyArray<Piece>, answers: Answers): Promise<void> => {
  const asked = new Map<string, Line>()
  for (const piece of pieces) for (const line of piece.lines) if (line.stored === null && answers.get(line.at)?.is === 'done') asked.set(keyText(line.keyAfter), line)
  if (asked.size === 0) return
  for (const { key, row } of await findRows(session, table, [...asked.keys()])) {
    const line = asked.get(key)
    const { remoteId, version, fields } = itemOf(table, row)
    if (line !== undefined) answers.set(line.at, { is: 'done', remoteId, version, fields })
  }
}
