import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutCsv, cutLine } from '#libs/connectors/file/record-cut.ts'
import { csvFormat } from '#libs/connectors/file/record-format.ts'
import { formatCsvRow } from '#libs/formats/csv.ts'
import { E } from '#libs/fp.ts'
import { arbitraryText } from '../../../arbitraries/json.ts'

const cutAll = (text: string, cut = cutCsv): ReadonlyArray<string> => {
  const bytes = Buffer.from(text)
  const records: Array<string> = []
  for (let from = 0; from < bytes.length;) {
    const to = cut(bytes, from, bytes.length)
    if (to === -1) return [...records, 'unfinished']
    records.push(bytes.toString('utf8', from, to))
    from = to + 1
  }
  return records
}

describe('cutting CSV', () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ['a,b\nc\n', ['a,b', 'c']],
    ['"a\nb",c\nd\n', ['"a\nb",c', 'd']],
    ['a,"b""\n""c"\nd\n', ['a,"b""\n""c"', 'd']],
    ['a,"b"\r\nc\n', ['a,"b"\r', 'c']],
    ['a,5" pipe\nb,"x"\n', ['a,5" pipe', 'b,"x"']],
    ['a,"x" y\nb\n', ['a,"x" y', 'b']],
    ['a,"x\nb,"y"\nc\n', ['a,"x', 'b,"y"', 'c']],
    ['a\nb,"x\ny', ['a', 'unfinished']],
    ['a', ['unfinished']],
    ['""\n"",""\n', ['""', '"",""']],
  ]
  it.each(cases)('%j', (text, records) => expect(cutAll(text)).toEqual(records))

  it('finds every record that was written, whatever is in it', () => {
    const row = fc.array(arbitraryText().filter((text) => text.isWellFormed()), { minLength: 2, maxLength: 4 })
    fc.assert(fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      const records = rows.map((values) => formatCsvRow(values))
      expect(cutAll(records.map((record) => `${record}\n`).join(''))).toEqual(records)
      for (const [n, values] of rows.entries()) {
        const names = values.map((_, i) => `c${i}`)
        const [parsed] = csvFormat(names).parse([records[n] ?? ''])
        expect(parsed).toEqual(E.right(Object.fromEntries(names.map((name, i) => [name, values[i] === '' ? null : values[i]]))))
      }
    }))
  })
})

describe('cutting lines', () => {
  it('ignores what lies behind the end', () => {
    expect(cutLine(Buffer.from('ab\ncd\n'), 3, 5)).toBe(-1)
    expect(cutLine(Buffer.from('ab\ncd\n'), 3, 6)).toBe(5)
  })
})
