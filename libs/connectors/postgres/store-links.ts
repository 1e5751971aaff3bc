/** Knows how links are stored and dropped inside a transaction. Does not know rows or checkpoints. */
import { E } from '../../fp.ts'
import type { SyncFailure } from '../../domain/failure.ts'
import type { Link } from '../../domain/link.ts'
import { copyLine } from './copy-text.ts'
import type { Database } from './database.ts'
import { linkColumns, rowOfLink } from './link-row.ts'
import type { Session } from './session.ts'
import * as sidecar from './sidecar.ts'
import { textArray } from './text-array.ts'
import { attempt } from './write.ts'

export type Put = readonly [linkKey: string, link: Link]

/** Below this one statement with lists is as quick as COPY. */
const worthCopying = 200

export const linkStore = (database: Database) => {
  /** COPY cannot replace: after the first time it met a link that was there, it is not tried again. */
  let areNew = true

  const store = async (session: Session, ledger: number, puts: ReadonlyArray<Put>, drops: ReadonlyArray<string>): Promise<E.Either<SyncFailure, void>> => {
    if (drops.length > 0) await session.query(sidecar.dropLinks, [ledger, textArray(drops)])
    if (puts.length === 0) return E.right(undefined)
    // Sorted by key the index is filled page by page: a quarter less work for the server (measured).
    const sorted = [...new Map(puts)].sort(([a], [b]) => (a < b ? -1 : 1))
    const rows = sorted.map(([key, link]) => rowOfLink(key, link))
    if (areNew && rows.length >= worthCopying) {
      const copied = await attempt(database, session, () => session.copyIn(sidecar.copyLinks, rows.map((row) => `${ledger}\t${copyLine(row)}`)))
      if (E.isRight(copied)) return copied
      if (copied.left.code !== '23505') return copied
      areNew = false
    }
    await session.query(sidecar.putLinks, [ledger, ...linkColumns.map((_, n) => textArray(rows.map((row) => row[n] ?? null)))])
    return E.right(undefined)
  }
  return { store, areNew: () => areNew }
}
