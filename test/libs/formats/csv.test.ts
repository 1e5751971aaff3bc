import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { formatCsvRow, readCsv, type CsvFault, type CsvRow } from '#libs/formats/csv.ts'

async function* inChunks(text: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string)
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}
async function* endless(head: string, chunk: string, counted: { bytes: number }): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head)
  for (; counted.bytes < 2e9; counted.bytes += chunk.length) yield Buffer.from(chunk)
}
const all = async (bytes: AsyncIterable<Uint8Array>): Promise<ReadonlyArray<E.Either<CsvFault, CsvRow>>> => {
  const read: Array<E.Either<CsvFault, CsvRow>> = []
  for await (const one of readCsv(bytes)) read.push(one)
  return read
}
const rows = async (text: string): Promise<ReadonlyArray<unknown>> =>
  (await all(inChunks(text))).map((one) => (E.isRight(one) ? one.right.row : one.left))

describe('reading rows that were written', () => {
  it('gives the same values', async () => {
    const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', 'é', '\ufeff') })).map((text) => text.toWellFormed())
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), async (values, size) => {
      const text = [['a', 'b'], ...values].map((row) => `${formatCsvRow(row)}\r\n`).join('')
      expect((await all(inChunks(text, size))).map((one) => E.isRight(one) && Object.values(one.right.row))).toEqual(values)
    }), { numRuns: 60 })
  })

  it('keeps a lone empty value a row', async () => {
    expect(await rows(`a\n${formatCsvRow([''])}\n`)).toEqual([{ a: '' }])
  })
})

describe('a CSV file', () => {
  it('may have a BOM, CRLF or LF, quotes, line ends inside quotes, no last line end', async () => {
    expect(await rows('\ufeffid,name\r\n1,"a ""b"", c\nd"\r\n\r\n2,👩‍👩‍👧')).toEqual([{ id: '1', name: 'a "b", c\nd' }, { id: '2', name: '👩‍👩‍👧' }])
    expect(await rows('')).toEqual([])
  })

  it('goes on after a row with a wrong number of columns', async () => {
    expect(await rows('a,b\n1,2\n3\n4,5,6\n7,8\n')).toEqual([
      { a: '1', b: '2' }, { line: 3, report: '1 columns instead of 2', fatal: false }, { line: 4, report: '3 columns instead of 2', fatal: false }, { a: '7', b: '8' },
    ])
  })

  it('may name columns like the members of Object, but not __proto__', async () => {
    expect(await rows('constructor,toString\n1,2\n')).toEqual([{ constructor: '1', toString: '2' }])
    expect(await rows('a,__proto__\n1,2\n')).toEqual([{ line: 1, report: 'a column named __proto__', fatal: true }])
  })

  it.each([
    ['nameless columns', 'a,,b\n', 'column 2 has no name'],
    ['twice the same column', 'a,b,a\n', 'column 3 has the name of an earlier column'],
    ['too many columns', `${'c,'.repeat(1024)}c\n`, 'more than 1024 columns'],
    ['an unclosed quote', 'a,b\n1,"2\n3,4\n', 'a quote that is never closed'],
    ['a stray quote', 'a,b\n1,2"3\n', 'a quote inside a value that is not quoted as a whole'],
    ['text after a quote', 'a,b\n1,"2"3\n', 'a quote inside a value that is not quoted as a whole'],
  ])('with %s cannot be trusted any further', async (_, text, report) => {
    expect((await rows(text)).at(-1)).toMatchObject({ report, fatal: true })
  })

  it('that is not UTF-8 is refused', async () => {
    expect((await all(inChunks(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a])))).at(-1)).toMatchObject(E.left({ report: 'not UTF-8 text', fatal: true }))
    expect((await all(inChunks(Buffer.from([0x61, 0x0a, 0xc3])))).at(-1)).toMatchObject(E.left({ report: 'not UTF-8 text', fatal: true }))
  })
})

describe('a hostile CSV file', () => {
  it.each([['a row without end', 'a\n', 'x'], ['a quote without end', 'a\n"', 'x\n'], ['a header without end', '', 'x,']])('of %s is read no further than the limit', async (_, head, text) => {
    const counted = { bytes: 0 }
    expect(await all(endless(head, text.repeat(32_768), counted))).toMatchObject([E.left({ report: 'a row longer than 1 MiB', fatal: true })])
    expect(counted.bytes).toBeLessThan(8e6)
  })

  it('is closed when its reader leaves early', async () => {
    const counted = { bytes: 0 }
    for await (const row of readCsv(endless('a\n', '1\n'.repeat(1000), counted))) if (E.isRight(row)) break
    expect(counted.bytes).toBeLessThan(8e6)
  })
})

describe('a CSV row written', () => {
  it('guards formulas only when asked', () => {
    expect(formatCsvRow(['=1+1', '@x', -1, null, true, { b: [1], a: 2 }])).toBe('=1+1,@x,-1,,true,"{""a"":2,""b"":[1]}"')
    expect(formatCsvRow(['=1+1', '@x', 'ok'], true)).toBe("'=1+1,'@x,ok")
  })
})
