/** Knows where records end in a stretch of bytes. Pure; does not know what a record says. */

/**
 * Index of the line feed that ends the record beginning at `from`, or -1 when it does not end before `to`.
 * What lies at `to` and behind is never looked at as content.
 */
export type Cut = (bytes: Buffer, from: number, to: number) => number

const lineFeed = 10
const quote = 34
const comma = 44

export const cutLine: Cut = (bytes, from, to) => {
  const end = bytes.indexOf(lineFeed, from)
  return end < to ? end : -1
}

/**
 * A quoted value may hold line feeds. Where the quoting is wrong only the first line is cut off, so that one stray quote
 * does not swallow the records behind it: that line alone will not parse.
 */
export const cutCsv: Cut = (bytes, from, to) => {
  const first = cutLine(bytes, from, to)
  let end = first
  let isOpen = false
  for (let at = from; end !== -1; at = end + 1, end = cutLine(bytes, at, to)) {
    const after = quotingAfter(bytes.subarray(0, end), at, from, isOpen)
    if (after === 'wrong') return first
    if (after === 'closed') return end
    isOpen = true
  }
  return -1
}

/** Follows the quotes of one line; `bytes` ends with it. */
const quotingAfter = (bytes: Buffer, from: number, recordStart: number, openBefore: boolean): 'open' | 'closed' | 'wrong' => {
  let isOpen = openBefore
  for (let at = bytes.indexOf(quote, from); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    if (!isOpen) {
      if (at !== recordStart && bytes[at - 1] !== comma) return 'wrong'
      isOpen = true
    } else if (bytes[at + 1] === quote) {
      at += 1
    } else {
      const next = bytes[at + 1]
      if (next !== undefined && next !== comma && next !== 13) return 'wrong'
      isOpen = false
    }
  }
  return isOpen ? 'open' : 'closed'
}
