/**
 * Knows how the bytes of a listing's page become a batch of rows: cut and hashed where they lie, and otherwise left as they
 * came. Pure.
 */
import { rowHasher } from '../../domain/row-hash.ts'
import { digestLength, ledgerKey } from '../../domain/record.ts'
import type { RowBatch } from '../row-batch.ts'
import { rowOf, type Row } from './copy-text.ts'
import { keyText } from './items.ts'
import { firstKey } from './page-sql.ts'
import type { Table } from './table.ts'

export type RowPage = {
  /** null = a row is not fit for a batch: its key is long or odd, or it has no version. */
  readonly batch: RowBatch | null
  readonly count: number
  /** The last line. */
  readonly end: Row | null
}

/** undefined = rows do not show their whole key, which a batch must. */
export const rowPages = (table: Table): ((bytes: Buffer) => RowPage) | undefined => {
  const names = table.shown.map(({ name }) => name)
  if (!table.key.every(({ name }) => names.includes(name))) return undefined
  const columns = table.shown.map(({ name, full }) => ({ name, type: full }))
  const key = table.key.map(({ name }) => name)
  const hash = rowHasher(names)
  const firstCell = firstKey + key.length
  const starts = new Uint32Array(firstCell + names.length)
  const ends = new Uint32Array(firstCell + names.length)
  const cells = [starts.subarray(firstCell), ends.subarray(firstCell)] as const

  /** The same from a line that is cut, and, when it is not plain, read. */
  const identityOf = (bytes: Buffer, row: Row | null): string =>
    keyText(Array.from({ length: key.length }, (_, n) => (row === null ? bytes.toString('latin1', starts[firstKey + n], ends[firstKey + n]) : (row[firstKey + n] ?? ''))))
  /** A short word or number is its own key in a ledger, and needs no look. */
  const isShort = (bytes: Buffer): boolean => {
    const [start = 0, end = 0] = [starts[firstKey], ends[firstKey]]
    return key.length === 1 && end > start && end - start <= 40 && bytes[start] !== mark
  }

  return (bytes) => {
    const rows = Buffer.allocUnsafe(bytes.length)
    // A row shows its key twice, its version and four cells more; a link its key, its version and a digest.
    const links = Buffer.allocUnsafe(bytes.length * 2 + digestLength)
    let [rowsEnd, linksEnd, count, last, fits, first] = [0, 0, 0, 0, true, '']
    for (let from = 0; from < bytes.length; count++) {
      const { end, isPlain } = cut(bytes, from, starts, ends)
      const row = isPlain ? null : rowOf(bytes.toString('utf8', from, end))
      if (isPlain && isShort(bytes)) linksEnd += bytes.copy(links, linksEnd, starts[firstKey], ends[firstKey])
      else {
        const identity = identityOf(bytes, row)
        fits &&= ledgerKey(identity) === identity && !identity.includes('\\') && row?.[0] !== null
        linksEnd += links.write(identity, linksEnd)
      }
      if (count === 0) first = links.toString('utf8', 0, linksEnd)
      links[linksEnd++] = tab
      linksEnd += bytes.copy(links, linksEnd, starts[0], ends[0])
      links[linksEnd++] = tab
      linksEnd += links.write(row === null ? hash.ofBytes(bytes, ...cells) : hash.ofCells(row.slice(firstCell)), linksEnd, 'latin1')
      links[linksEnd++] = newline
      rowsEnd += bytes.copy(rows, rowsEnd, starts[firstCell], end + 1)
      last = from
      from = end + 1
    }
    const batch = fits && count > 0 ? { columns, key, count, firstKey: first, rows: rows.subarray(0, rowsEnd), links: links.subarray(0, linksEnd) } : null
    return { batch, count, end: count === 0 ? null : rowOf(bytes.toString('utf8', last, bytes.length - 1)) }
  }
}

const [tab, newline, backslash, quote, mark] = [0x09, 0x0a, 0x5c, 0x22, 0x23]

/** Plain: printable ASCII without quote and backslash, which is its own canonical form. Starts and ends are filled in. */
const cut = (bytes: Uint8Array, from: number, starts: Uint32Array, ends: Uint32Array): { readonly end: number; readonly isPlain: boolean } => {
  let [cell, isPlain] = [0, true]
  starts[0] = from
  for (let at = from; ; at++) {
    const byte = bytes[at]
    if (byte === tab) {
      ends[cell++] = at
      starts[cell] = at + 1
    } else if (byte === newline || byte === undefined) {
      ends[cell] = at
      return { end: at, isPlain }
    } else if (byte < 0x20 || byte > 0x7e || byte === backslash || byte === quote) isPlain = false
  }
}
