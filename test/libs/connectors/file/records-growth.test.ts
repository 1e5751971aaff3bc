import { appendFile, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutCsv, cutLine } from '#libs/connectors/file/record-cut.ts'
import { rawRecords, type RawRecord } from '#libs/connectors/file/record-stream.ts'
import { contents, readOn } from '../../../laws/law-rig.ts'
import type { Item } from '#libs/domain/record.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openSide } from './open-side.ts'

/** Pieces a file may be made of: whole records, halves of them, noise. */
const csvPiece = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('a', 'b', '"x, y"', '"two\nlines"', '', '"""q"""')).map(([id, v]) => `${id},${v}\n`),
  fc.constantFrom('7', ',', '"', '\n', '\r\n', '8,half', '1,2,3\n', 'é,日本\n', '9,"open'),
)
const jsonPiece = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('"a"', '1.50', 'null', '"日本"', '{"x":[1]}')).map(([id, v]) => `{"id":${id},"v":${v}}\n`),
  fc.constantFrom('{"id":7,', '"v":1}', '\n', '\r\n', 'noise\n', '{"id":8,"v":"whole"}'),
)

const readWith = async (path: string, chunkBytes: number, limit: number, cut: typeof cutCsv): Promise<ReadonlyArray<RawRecord>> => {
  const file = await open(path)
  try {
    const size = (await file.stat()).size
    const next = rawRecords({ file, offset: 0, line: 1, size, cut, isWhole: () => true, chunkBytes })
    const records: Array<RawRecord> = []
    for (;;) {
      const page = await next(limit)
      expect(page.records.length).toBeLessThanOrEqual(limit)
      records.push(...page.records)
      if (page.last) return records
    }
  } finally {
    await file.close()
  }
}

describe('reading a records file', () => {
  it('gives the same records whatever the size of chunks and pages', async () => {
    const folder = await temporaryFolder()
    const path = join(folder.path, 'x')
    try {
      const cases = fc.record({ text: fc.array(fc.oneof(csvPiece, jsonPiece), { maxLength: 12 }).map((pieces) => pieces.join('')), chunk: fc.integer({ min: 1, max: 40 }), limit: fc.integer({ min: 1, max: 5 }), isCsv: fc.boolean() })
      await fc.assert(fc.asyncProperty(cases, async ({ text, chunk, limit, isCsv }) => {
        await writeFile(path, text)
        const cut = isCsv ? cutCsv : cutLine
        expect(await readWith(path, chunk, limit, cut)).toEqual(await readWith(path, 1 << 20, 1000, cut))
      }), { numRuns: 200 })
    } finally {
      await folder.remove()
    }
  })

  it.each([['csv', 'id,v\n', csvPiece], ['jsonl', '', jsonPiece]] as const)('of %s again and again while it grows in pieces comes to the same as reading it once', async (format, head, piece) => {
    const folder = await temporaryFolder()
    const path = join(folder.path, `x.${format}`)
    try {
      await fc.assert(fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 3 }), { maxLength: 6 }), async (growth) => {
        await writeFile(path, head)
        const side = await openSide('row', { path })
        let cursor: string | null = null
        let known = new Map<string, Item>()
        // A line feed, then two quiet looks, so that nothing waits any more.
        for (const text of [...growth.map((pieces) => pieces.join('')), '\n', '', '']) {
          if (text !== '') await appendFile(path, text)
          const reading = await readOn(side, cursor)
          if (reading.coverage === 'listing') known = new Map()
          for (const item of reading.items) known.set(item.key, item)
          cursor = reading.cursor
        }
        const once = await readOn(await openSide('row', { path }), null)
        const expected = new Map(once.items.map((item) => [item.key, item]))
        expect(contents([...known.values()])).toEqual(contents([...expected.values()]))
        const found = await side.find([...expected.keys()], new AbortController().signal)()
        expect(found._tag === 'Right' ? contents(found.right) : found).toEqual(contents([...expected.values()]))
      }), { numRuns: 100, examples: [[[['9,"open', '0,a\n'], ['"']]], [[['1,a\n2,1'], [], ['23\n']]]] })
    } finally {
      await folder.remove()
    }
  })
})
