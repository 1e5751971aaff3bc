/**
 * Knows how a batch of new rows and the links that remember them are copied into their tables, bytes as they came. Does not
 * begin or commit.
 */
import type { TransactionalLoad } from '../row-batch.ts'
import { keyParts } from './items.ts'
import type { Session } from './session.ts'
import { copyPlainLinks } from './sidecar.ts'
import type { Column, Table } from './table.ts'
import { copyInto, versionOf } from './write-sql.ts'

/** Throws what the server says. `ledger`: number of the flow's ledger. */
export const copyBatch = async (session: Session, table: Table, into: ReadonlyArray<Column>, load: TransactionalLoad, ledger: number): Promise<void> => {
  const { batch, gen, at } = load
  await session.copyIn(copyInto(table, into), batch.rows)
  // All rows of one statement have one version.
  const version = (await session.query(versionOf(table), [...(keyParts(batch.firstKey, table.key.length) ?? [])])).rows[0]?.[0]
  if (version === undefined || version === null) throw new Error('a row that was just copied is not there')
  await session.copyIn(copyPlainLinks, withTail(batch.links, batch.count, `\t${version}\t${ledger}\t${gen}\t${at}\n`))
}

/** Every line with what all links of the batch share. */
const withTail = (lines: Buffer, count: number, tail: string): Buffer => {
  const whole = Buffer.allocUnsafe(lines.length + count * (tail.length - 1))
  let to = 0
  for (let from = 0; from < lines.length;) {
    const end = lines.indexOf(0x0a, from)
    to += lines.copy(whole, to, from, end)
    to += whole.write(tail, to, 'latin1')
    from = end + 1
  }
  return whole
}
