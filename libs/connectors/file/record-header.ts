/** Knows the first row of a CSV file: the names of its columns, or why they cannot be used. */
import type { FileHandle } from 'node:fs/promises'
import { E } from '../../fp.ts'
import { readCsv } from '../../formats/csv.ts'
import { cutCsv } from './record-cut.ts'
import { csvValues } from './record-format.ts'
import { rawRecords } from './record-stream.ts'

export type Header = {
  /** None while the file is empty. */
  readonly columns: ReadonlyArray<string>
  /** First byte behind it, and that byte's line. */
  readonly offset: number
  readonly line: number
}

export const noHeader: Header = { columns: [], offset: 0, line: 1 }

/** Left: a mistake a person must mend, for the whole file hangs on it. */
export const readHeader = async (file: FileHandle, size: number): Promise<E.Either<string, Header>> => {
  const page = await rawRecords({ file, offset: 0, line: 1, size, cut: cutCsv, isWhole: () => true })(1)
  const [first] = page.records
  if (first === undefined) return E.right(noHeader)
  if (first.fault !== undefined) return E.left(`the header is ${first.fault}`)
  const columns = await columnsOf(first.text)
  return E.isLeft(columns) ? columns : E.right({ columns: columns.right, offset: page.offset, line: page.line })
}

export const columnsOf = async (text: string): Promise<E.Either<string, ReadonlyArray<string>>> => {
  for await (const row of readCsv(once(Buffer.from(`${text}\n`)))) if (E.isLeft(row)) return E.left(`the header has ${row.left.report}`)
  return csvValues(text)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
