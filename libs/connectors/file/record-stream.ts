/**
 * Knows how a records file of any size is read record by record with one small window in memory. Ends at the size the
 * file had when it was opened. Does not know what records say.
 */
import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { maxRecordBytes } from './record-format.ts'
import type { Cut } from './record-cut.ts'

export type RawRecord = { readonly text: string; readonly line: number; readonly offset: number; readonly fault?: string }
export type RawPage = {
  readonly records: ReadonlyArray<RawRecord>
  /** First byte after the last record; its line number, from 1. */
  readonly offset: number
  readonly line: number
  readonly last: boolean
  /** A quote that is open at the end of the file was taken for a stray one: growth may prove that wrong. */
  readonly guessed: boolean
}

export type StreamAsk = {
  readonly file: FileHandle
  readonly offset: number
  readonly line: number
  /** Size of the file when it was opened. */
  readonly size: number
  readonly cut: Cut
  /** Whether text without a line feed at the very end is a whole record; absent: it waits for its line feed. */
  readonly isWhole?: (text: string) => boolean
  /** Bytes read at a time. */
  readonly chunkBytes?: number
}

/** Large enough that reading costs little beside parsing, small enough to be nothing beside a page. */
const defaultChunkBytes = 256 * 1024
/** A line without end is given up on here: this is no records file. */
export const maxSkipBytes = 64 * 1024 * 1024

export class EndlessLine extends Error {}
export class Shrunk extends Error {}

/** Each call answers the next page of at most `limit` records. Throws what node:fs throws, `EndlessLine`, `Shrunk`. */
export const rawRecords = ({ file, offset, line: firstLine, size, cut, isWhole, chunkBytes = defaultChunkBytes }: StreamAsk): ((limit: number) => Promise<RawPage>) => {
  let bytes = Buffer.allocUnsafe(2 * chunkBytes)
  let [start, end] = [0, 0]
  /** Offset in the file of `bytes[0]`. */
  let base = offset
  let line = firstLine
  let guessed = false

  const fill = async (): Promise<boolean> => {
    if (start > 0) {
      bytes.copyWithin(0, start, end)
      ;[base, end, start] = [base + start, end - start, 0]
    }
    const want = Math.min(chunkBytes, size - base - end)
    if (want <= 0) return false
    if (end + want + 1 > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2)
    const { bytesRead } = await file.read(bytes, end, want, base + end)
    // Less than was promised: as the end of a listing it would look like deletions.
    if (bytesRead === 0) throw new Shrunk('became shorter while it was read')
    end += bytesRead
    return true
  }
  const take = (records: Array<RawRecord>, stop: number) => {
    const textEnd = stop > start && bytes[stop - 1] === 13 ? stop - 1 : stop
    const text = bytes.toString('utf8', start, textEnd)
    if (text.trim() !== '') {
      const isBroken = text.includes('\ufffd') && !isUtf8(bytes.subarray(start, textEnd))
      const fault = isBroken ? 'not UTF-8 text' : textEnd - start > maxRecordBytes ? 'longer than 1 MiB' : null
      records.push({ text, line, offset: base + start, ...(fault === null ? {} : { fault }) })
    }
    const feeds = text.includes('\n') ? text.split('\n').length : 1
    // At the end of the file the line feed was only imagined; the real one may still come.
    line += stop < end ? feeds : feeds - 1
    start = Math.min(stop + 1, end)
  }
  /** Over a line that is too long to hold. */
  const skip = async (records: Array<RawRecord>): Promise<void> => {
    const from = base + start
    for (;;) {
      const feed = bytes.indexOf(10, start)
      if (feed !== -1 && feed < end) {
        start = feed + 1
        break
      }
      start = end
      if (base + start - from > maxSkipBytes) throw new EndlessLine(`line ${line} has no end within ${maxSkipBytes / 1024 / 1024} MiB`)
      if (!(await fill())) break
    }
    records.push({ text: '', line, offset: from, fault: 'longer than 1 MiB' })
    line += 1
  }
  /** What is left at the end of the file has no line feed, or opens a quote nobody closes. Answers false to stop there. */
  const takeRest = (records: Array<RawRecord>): boolean => {
    if (start === end || isWhole === undefined) return false
    bytes[end] = 10
    const stop = cut(bytes, start, end + 1)
    const firstFeed = bytes.indexOf(10, start)
    if (stop === end && !isWhole(bytes.toString('utf8', start, end))) return false
    if (stop === -1 && firstFeed === end) return false
    guessed ||= stop === -1
    take(records, stop === -1 ? firstFeed : stop)
    return true
  }

  return async (limit) => {
    const records: Array<RawRecord> = []
    let isAtEnd = false
    while (records.length < limit && !isAtEnd) {
      const stop = cut(bytes, start, end)
      if (stop !== -1) take(records, stop)
      else if (end - start > maxRecordBytes) {
        const feed = bytes.indexOf(10, start)
        if (feed !== -1 && feed < end) take(records, feed)
        else await skip(records)
      } else if (!(await fill())) isAtEnd = !takeRest(records)
    }
    return { records, offset: base + start, line, last: isAtEnd || base + start >= size, guessed }
  }
}
