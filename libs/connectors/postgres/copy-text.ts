/** Knows the text format of COPY: rows into bytes and bytes into rows. Pure. A raw line feed always ends a row. */

export type Row = ReadonlyArray<string | null>

/** Takes the stream's chunks as they come; answers the rows that became complete. */
export const copyReader = () => {
  let tail: Buffer | null = null
  return (chunk: Buffer): ReadonlyArray<Row> => {
    const end = chunk.lastIndexOf(0x0a)
    if (end < 0) {
      tail = tail === null ? chunk : Buffer.concat([tail, chunk])
      return []
    }
    const whole = chunk.subarray(0, end)
    const text = (tail === null ? whole : Buffer.concat([tail, whole])).toString('utf8')
    tail = end + 1 < chunk.length ? chunk.subarray(end + 1) : null
    return text.split('\n').map(rowOf)
  }
}

/** Most lines hold neither NULL nor anything escaped, and are done with one split. */
export const rowOf = (line: string): Row => {
  const cells = line.split('\t')
  return line.includes('\\') ? cells.map(cellOf) : cells
}

const cellOf = (cell: string): string | null => (cell === '\\N' ? null : cell.includes('\\') ? cell.replace(/\\(.)/gs, (_, letter: string) => unescaped[letter] ?? letter) : cell)
const unescaped: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

export const copyLine = (row: Row): string => {
  let line = ''
  for (let n = 0; n < row.length; n++) {
    const cell = row[n] ?? null
    line += (n === 0 ? '' : '\t') + (cell === null ? '\\N' : special.test(cell) ? cell.replace(specials, (found) => escaped[found] ?? found) : cell)
  }
  return `${line}\n`
}
const special = /[\\\t\n\r]/
const specials = /[\\\t\n\r]/g
const escaped: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
