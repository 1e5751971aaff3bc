/**
 * Knows how far a records file was read, and whether what was read still stands there. Growth keeps a cursor; anything
 * else loses it. What is looked at: whether it is the same file, the first and the last 4 KiB before the offset, the size and
 * the time of the last change. Not seen: an edit of equal length in the middle of the file, made between two looks that also
 * saw it grow.
 */
import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import * as t from 'io-ts'
import { E } from '../../fp.ts'
import { versionFrom } from './atomic-file.ts'
import type { OwnWrites } from './own-writes.ts'

const RecordsCursor = t.intersection([t.partial({
  /** Which file it was. Cursors of before this was noted have none. */
  file: t.string,
}), t.strict({
  v: t.literal(1),
  /** First byte not read yet, and its line number. */
  offset: t.number,
  line: t.number,
  /** Of the file when it was looked at; time in ns. */
  size: t.number,
  time: t.string,
  /** Bytes of the header, which counts as part of what was read. */
  header: t.number,
  print: t.string,
  /** What was read hangs on where the file ended then; any growth loses the cursor. */
  guessed: t.boolean,
})])
export type RecordsCursor = t.TypeOf<typeof RecordsCursor>

const endBytes = 4096

export const encodeCursor = (cursor: RecordsCursor): string => JSON.stringify(cursor)

export const decodeCursor = (text: string): RecordsCursor | null => {
  const json = E.tryCatch(() => JSON.parse(text) as unknown, () => null)
  if (E.isLeft(json)) return null
  const decoded = RecordsCursor.decode(json.right)
  return E.isLeft(decoded) ? null : decoded.right
}

/** Numbers of files are given again; with the time of its making it is this one. */
export const fileOf = ({ ino, birthtimeNs }: BigIntStats): string => `${ino}-${birthtimeNs}`

/**
 * `same`: nothing was done to the file since. `grown`: what was read stands, more may follow. Our own writes make another file:
 * what they added and somebody took out again since would be missing from the growth, so nobody else may have touched it.
 */
export const compare = async (file: FileHandle, stats: BigIntStats, cursor: RecordsCursor, own: OwnWrites): Promise<'same' | 'grown' | 'lost'> => {
  if (cursor.file !== undefined && cursor.file !== fileOf(stats) && !own.lead(versionThen(cursor, cursor.file), versionFrom(stats))) return 'lost'
  const size = Number(stats.size)
  const time = String(stats.mtimeNs)
  if (size === cursor.size) return time === cursor.time ? 'same' : 'lost'
  if (cursor.guessed || size < cursor.offset || (await printer(file, cursor.header)(cursor.offset)) !== cursor.print) return 'lost'
  return (await isGlued(file, cursor.offset, size)) ? 'lost' : 'grown'
}

const versionThen = ({ time, size }: RecordsCursor, file: string): string => versionFrom({ mtimeNs: time, size, ino: file.split('-')[0] ?? '' })

/** Digest of both ends of what lies before an offset; the front, once it is complete, is read once. */
export const printer = (file: FileHandle, header: number): ((offset: number) => Promise<string>) => {
  const frontBytes = Math.max(endBytes, header)
  let front: Buffer = Buffer.alloc(0)
  return async (offset) => {
    if (front.length < frontBytes) front = await slice(file, 0, Math.min(offset, frontBytes))
    const back = await slice(file, Math.max(front.length, offset - endBytes), offset)
    return createHash('sha256').update(front).update(back).digest('base64url').slice(0, 22)
  }
}

/** The last record was read without its line feed, and then its line went on: it was not whole. */
const isGlued = async (file: FileHandle, offset: number, size: number): Promise<boolean> => {
  if (offset === 0 || size === offset) return false
  const [before, after] = await slice(file, offset - 1, offset + 1)
  return before !== 10 && after !== 10 && after !== 13
}

const slice = async (file: FileHandle, from: number, to: number): Promise<Buffer> => {
  if (to <= from) return Buffer.alloc(0)
  const bytes = Buffer.alloc(to - from)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
  return bytes.subarray(0, bytesRead)
}
