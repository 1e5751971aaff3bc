import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { eachLine, fold, parseContentLine, printContentLine, textOfBytes } from '#libs/formats/content-lines.ts'
import { parseComponents } from '#libs/formats/components.ts'

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  expect(eachLine(text, (line) => (lines.push(line), null))).toBeNull()
  return lines
}

const oneLine = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 })
  .map((text) => `X:${text.toWellFormed().replace(/[\r\n\0]/g, '')}`)

describe('folding', () => {
  it('is undone by unfolding, in lines of at most 75 octets', () => {
    fc.assert(fc.property(oneLine, (line) => {
      const folded = fold(line)
      for (const part of folded.split('\r\n')) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(75)
      expect(linesOf(folded)).toEqual([line])
    }), { examples: [[`X:${'é'.repeat(200)}`], [`X:${'👩‍👩‍👧'.repeat(30)}`], [`X:${' '.repeat(200)}`]] })
  })

  it('is understood with CRLF, LF, a lone CR, tabs and doubled line ends', () => {
    for (const end of ['\r\n', '\n', '\r', '\r\r\n']) expect(linesOf(['A:1', ' 2', '\t3', 'B:4'].join(end))).toEqual(['A:123', 'B:4'])
  })

  it('inside a character is undone on the bytes', () => {
    const bytes = Buffer.from('X:caf\u00c3\r\n \u00a9', 'latin1')
    expect(textOfBytes(bytes)).toEqual(E.right('X:café'))
    expect(textOfBytes(Buffer.from([0x58, 0xff, 0xfe]))).toEqual(E.left('not UTF-8 text'))
  })
})

describe('a content line', () => {
  it('is split into group, name, parameters and value', () => {
    expect(parseContentLine('item1.tel;type=HOME,"a;b:c";x-y=z:+1:2')).toEqual(E.right({
      group: 'item1', name: 'TEL', parameters: [['TYPE', ['HOME', 'a;b:c']], ['X-Y', ['z']]], value: '+1:2',
    }))
  })

  it('is printed so that it reads the same', () => {
    const parameter = fc.tuple(fc.stringMatching(/^[A-Z-]{1,8}$/), fc.array(fc.string().map((s) => s.replace(/["\r\n\0]/g, '')), { minLength: 1, maxLength: 3 }))
    fc.assert(fc.property(fc.array(parameter, { maxLength: 4 }), fc.string(), (parameters, value) => {
      const line = { group: null, name: 'X-A', parameters, value }
      expect(parseContentLine(printContentLine(line))).toEqual(E.right(line))
    }))
  })

  it('that cannot be read is reported without its content', () => {
    expect(parseContentLine('secret without colon')).toEqual(E.left('does not begin with a property name and a colon'))
    expect(parseContentLine('TEL;TYPE="secret:1')).toEqual(E.left('a parameter never ends'))
  })
})

describe('hostile text', () => {
  const quickly = (text: string): string => {
    const start = performance.now()
    const parsed = parseComponents(text)
    expect(performance.now() - start).toBeLessThan(40_000) // or hours
    return E.isLeft(parsed) ? parsed.left : 'was read'
  }
  const folded = (prefix: string, bytes: number): string => `BEGIN:VCARD\r\n${prefix}${'x'.repeat(74).concat('\r\n ').repeat(bytes / 74)}\r\nEND:VCARD\r\n`

  it('of one folded line of 100 MB ends in a bounded error', () => expect(quickly(folded('NOTE:', 100e6))).toBe('larger than 16 MiB'))
  it('of one folded line of 8 MB ends in a bounded error', () => expect(quickly(folded('NOTE:', 8e6))).toBe('line 2: longer than 1 MiB'))
  it('may hold a photo of 4 MB but not of 8', () => {
    expect(quickly(folded('PHOTO;ENCODING=b:', 4e6))).toBe('was read')
    expect(quickly(folded('PHOTO;ENCODING=b:', 8e6))).toBe('line 2: longer than 5 MiB')
  })
  it('of 10 000 nested components ends in a bounded error', () => expect(quickly('BEGIN:A\n'.repeat(10_000))).toBe('line 9: nested deeper than 8 components'))
  it('of 300 000 components ends in a bounded error', () => expect(quickly(`BEGIN:A\n${'BEGIN:B\nEND:B\n'.repeat(300_000)}END:A`)).toMatch(/more than 200000 components/))
  it('of a million lines ends in a bounded error', () => expect(quickly(`BEGIN:A\n${'B:\n'.repeat(1_000_000)}END:A`)).toMatch(/more than 500000 lines/))

  it('of any kind never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => { parseComponents(`BEGIN:VCARD\n${text}\nEND:VCARD`) }))
  })
})

describe('a broken tree names the line', () => {
  it.each([
    ['empty file', '', 'line 1: empty, no BEGIN found'],
    ['missing END', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT', 'line 1: BEGIN:VCALENDAR has no END'],
    ['wrong nesting', 'BEGIN:A\nBEGIN:B\nEND:A\nEND:B', 'line 3: END does not close the BEGIN:B of line 2'],
    ['END alone', 'END:A', 'line 1: a property outside BEGIN and END'],
    ['binary junk', '\u0089PNG\u001a\n\u0001\u0002', 'line 1: does not begin with a property name and a colon'],
    ['a NUL', 'BEGIN:A\0', 'contains a NUL byte: not a text file'],
    ['half a surrogate pair', 'BEGIN:A\nX:\ud800\nEND:A', 'not well-formed Unicode'],
  ])('%s', (_, text, report) => expect(parseComponents(text)).toEqual(E.left(report)))
})
