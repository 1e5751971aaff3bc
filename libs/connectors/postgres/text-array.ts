/** Knows PostgreSQL's binary form of text[]: nothing to escape on our side, nothing to parse on the server's. Pure. */

const textOid = 25
const header = 20

export const textArray = (values: ReadonlyArray<string | null>): Buffer => {
  let size = header
  // No UTF-16 unit becomes more than three bytes of UTF-8.
  for (const value of values) size += 4 + (value === null ? 0 : value.length * 3)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0)
  bytes.writeInt32BE(1, 4)
  bytes.writeInt32BE(textOid, 8)
  bytes.writeInt32BE(values.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = header
  for (const value of values) {
    const length = value === null ? -1 : bytes.write(value, at + 4, 'utf8')
    bytes.writeInt32BE(length, at)
    at += 4 + Math.max(length, 0)
  }
  return bytes.subarray(0, values.length === 0 ? 12 : at)
}
