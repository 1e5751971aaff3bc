/**
 * Knows how rows are looked up by key. Each key is looked up by itself (LATERAL … LIMIT 1): a join might scan a whole table
 * whose statistics are not there yet.
 */
import { E } from '../../fp.ts'
import type { Row } from './copy-text.ts'
import { keyParts } from './items.ts'
import { alive, cells } from './page-sql.ts'
import type { Session } from './session.ts'
import { faultOf } from './database.ts'
import { ident } from './sql.ts'
import { meaningOf } from './sqlstate.ts'
import type { Table } from './table.ts'
import { textArray } from './text-array.ts'

export type Found = { readonly key: string; readonly row: Row }

/** Rows of these keys, each with the key as it was asked for. What is not a key of this table is not found. */
export const findRows = async (session: Session, table: Table, keys: ReadonlyArray<string>): Promise<ReadonlyArray<Found>> => {
  const asked: Array<{ readonly key: string; readonly parts: ReadonlyArray<string> }> = []
  for (const key of new Set(keys)) {
    const parts = keyParts(key, table.key.length)
    if (parts !== null) asked.push({ key, parts })
  }
  const found: Array<Found> = []
  const look = async (from: number, to: number): Promise<void> => {
    const some = asked.slice(from, to)
    if (some.length === 0) return
    const tried = await tryRows(session, table, some.map(({ parts }) => parts))
    if (E.isLeft(tried)) {
      // One of them is no value of the column's type: halve until it is alone, and leave it out.
      if (to - from === 1) return
      const middle = from + Math.floor((to - from) / 2)
      await look(from, middle)
      await look(middle, to)
      return
    }
    for (const row of tried.right) {
      const key = some[Number(row[0]) - 1]?.key
      if (key !== undefined) found.push({ key, row: row.slice(1) })
    }
  }
  await look(0, asked.length)
  return found
}

const tryRows = async (session: Session, table: Table, keys: ReadonlyArray<ReadonlyArray<string>>): Promise<E.Either<'not a key', ReadonlyArray<Row>>> => {
  const values = table.key.map((_, n) => textArray(keys.map((parts) => parts[n] ?? '')))
  try {
    return E.right((await session.query(lookup(table), values)).rows)
  } catch (cause) {
    if (meaningOf(faultOf(cause)).is !== 'item') throw cause
    return E.left('not a key')
  }
}

const lookup = (table: Table): string => {
  const names = table.key.map((_, n) => `k${n}`)
  const same = table.key.map(({ name, type }, n) => `t.${ident(name)} = q.k${n}::${type}`)
  return `SELECT q.n, r.* FROM unnest(${names.map((_, n) => `$${n + 1}::text[]`).join(', ')}) WITH ORDINALITY q(${names.join(', ')}, n)
    CROSS JOIN LATERAL (SELECT ${cells(table)} FROM ${table.sql} t WHERE ${same.join(' AND ')} AND ${alive(table)} LIMIT 1) r`
}
