import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { formatVcard, parseVcard, type ParsedVcard } from '#libs/formats/vcard.ts'

const card = (...lines: ReadonlyArray<string>): string => ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')
const read = (text: string): ParsedVcard => {
  const parsed = parseVcard(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return parsed.right
}
const fieldsOf = (...lines: ReadonlyArray<string>): ParsedVcard['fields'] => read(card('VERSION:3.0', ...lines)).fields
const write = (text: string, previous?: string): string => {
  const { uid, fields } = read(text)
  const written = formatVcard(uid, fields, previous)
  if (E.isLeft(written)) throw new Error(written.left)
  return written.right
}

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\\', ';', ',', ':', 'n', 'N', '"', 'e', '\u0301', '\u037e', '\u0338', '=', ' ', '👩‍👩‍👧'), maxLength: 20 }),
).map((text) => text.toWellFormed().replace(/[\r\n\0]/g, ''))
const parameter = fc.tuple(
  fc.constantFrom('TYPE', 'type', 'PREF', 'X-P', 'SORT-AS', 'ALTID'),
  fc.array(fc.oneof(fc.constantFrom('HOME', 'work', 'pref'), value.map((text) => `"${text.replaceAll('"', '')}"`)), { minLength: 1, maxLength: 3 }),
).map(([name, values]) => `;${name}=${values.join(',')}`)
const property = fc.tuple(
  fc.constantFrom('', '', 'item1.', 'item2.', 'ITEM2.', 'home.'),
  fc.constantFrom('FN', 'N', 'TEL', 'tel', 'EMAIL', 'ADR', 'ORG', 'NOTE', 'CATEGORIES', 'NICKNAME', 'X-ABLabel', 'X-Any_thing', 'BDAY', 'PHOTO'),
  fc.array(parameter, { maxLength: 3 }), value,
).map(([group, name, parameters, text]) => `${group}${name}${parameters.join('')}:${text}`)
const arbitraryVcard = fc.tuple(fc.constantFrom('3.0', '4.0'), value, fc.array(property, { maxLength: 12 }))
  .map(([version, uid, properties]) => card(`VERSION:${version}`, `UID:${uid}`, ...properties))

describe('reading what was written', () => {
  it('gives the same uid and fields', () => {
    fc.assert(fc.property(arbitraryVcard, (text) => {
      const { uid, fields } = read(text)
      expect(read(write(text))).toMatchObject({ uid })
      expect(read(write(text)).fields).toEqual(fields)
      expect(write(write(text))).toBe(write(text))
    }), {
      numRuns: 300,
      examples: [
        [card('VERSION:3.0', 'UID:u', 'item1.TEL:1', 'item1.X-ABLabel:Mum', 'item2.TEL:1', 'item2.X-ABLabel:Dad')],
        [card('VERSION:4.0', 'UID:u', 'NOTE:a\\n\u0301b\\,c\\;d\\\\n', 'X-RAW:a\\n\u0301')],
        [card('VERSION:3.0', 'UID:u', 'N:a\u037eb;c', 'item1.CATEGORIES:a,b', 'CATEGORIES:')],
      ],
    })
  })

  it('does not depend on the order of lines', () => {
    fc.assert(fc.property(fc.shuffledSubarray(['FN:J', 'TEL:1', 'TEL:2', 'item1.EMAIL:a', 'item1.X-ABLabel:x', 'item7.EMAIL:b', 'item7.X-ABLabel:y'], { minLength: 7 }), (lines) => {
      expect(fieldsOf(...lines)).toEqual(fieldsOf(...lines.toReversed()))
    }))
  })
})

describe('a vCard read', () => {
  it('has canonical values: case, order, folding, escapes and Unicode form say nothing', () => {
    expect(fieldsOf('tel;type=WORK;TYPE="voice,pref":+1', 'FN:Zoe\u0308 a, b', 'n:Doe;J', 'ORG:A;;', 'NOTE:x\\Ny')).toEqual({
      TEL: ['TEL;TYPE=pref,voice,work:+1'], FN: 'FN:Zo\u00eb a\\, b', N: 'N:Doe;J;;;', ORG: 'ORG:A', NOTE: 'NOTE:x\\ny',
    })
  })

  it('keeps what labels a number with the number, whatever the group is called', () => {
    const labelled = { TEL: ['TEL:+1\nX-ABLABEL:_$!<Mother>!$_'] }
    expect(fieldsOf('item1.TEL:+1', 'item1.X-ABLabel:_$!<Mother>!$_')).toEqual(labelled)
    expect(fieldsOf('item9.X-ABLABEL:_$!<Mother>!$_', 'ITEM9.TEL:+1')).toEqual(labelled)
    expect(fieldsOf('home.TEL:+1')).toEqual({ TEL: ['home.TEL:+1'] })
  })

  it('gives one string for a property that stands once by nature, a set for any other', () => {
    expect(fieldsOf('FN:a', 'EMAIL:x')).toEqual({ FN: 'FN:a', EMAIL: ['EMAIL:x'] })
    expect(fieldsOf('NOTE:b', 'NOTE:a')).toEqual({ NOTE: ['NOTE:a', 'NOTE:b'] })
    expect(fieldsOf('CATEGORIES:b,a\\,c', 'CATEGORIES:b')).toEqual({ CATEGORIES: ['CATEGORIES:a\\,c', 'CATEGORIES:b'] })
  })

  it('says its version and REV beside the fields, and leaves the volatile out', () => {
    const text = card('VERSION:4.0', 'UID:urn:uuid:1', 'PRODID:x', 'X-RADICALE-NAME:y', 'REV:2026-01-02T03:04:05Z', 'FN:J')
    expect(read(text)).toEqual({ uid: 'urn:uuid:1', version: '4.0', rev: '2026-01-02T03:04:05Z', fields: { FN: 'FN:J' } })
    expect(read(card('FN:J', 'REV:20260102'))).toEqual({ uid: null, version: '3.0', fields: { FN: 'FN:J' } })
  })

  it('may be of version 2.1', () => {
    const text = card('VERSION:2.1', 'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BC=', 'ller, Jr;A', 'TEL;CELL;PREF:1', 'PHOTO;ENCODING=BASE64;JPEG:AAA', ' BBB', '', 'NOTE:C:\\dir')
    expect(read(text).fields).toEqual({
      N: 'N:Müller\\, Jr;A;;;', TEL: ['TEL;TYPE=cell,pref:1'], PHOTO: 'PHOTO;ENCODING=b;TYPE=jpeg:AAABBB', NOTE: 'NOTE:C:\\\\dir',
    })
    expect(write(text)).toContain('VERSION:3.0')
  })

  it.each([
    ['two cards', card('FN:a') + card('FN:b'), 'line 4: more than one vCard'],
    ['a calendar', 'BEGIN:VCALENDAR\nEND:VCALENDAR', 'line 1: not a vCard'],
    ['two UIDs', card('UID:a', 'UID:b'), 'line 1: more than one UID'],
    ['a nested card', 'BEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD', 'line 2: a component inside the vCard'],
    ['a broken line', card('FN:a', 'oops'), 'line 3: does not begin with a property name and a colon'],
    ['an old character set', card('VERSION:2.1', 'FN;CHARSET=ISO-8859-1:x'), 'line 3: a character set other than UTF-8'],
  ])('is refused when it is %s', (_, text, report) => expect(parseVcard(text)).toEqual(E.left(report)))
})

describe('a vCard written', () => {
  it('keeps the version of the previous text', () => {
    const source = card('VERSION:4.0', 'UID:u', 'FN:J', 'N:J;;;;')
    expect(write(source, card('VERSION:4.0', 'FN:old'))).toContain('VERSION:4.0')
    expect(write(source, card('VERSION:3.0', 'FN:old'))).toContain('VERSION:3.0')
  })

  it('without a previous text has the version its fields are shaped for', () => {
    expect(write(card('FN:J', 'N:J;;;;'))).toContain('VERSION:3.0')
    expect(write(card('FN:J'))).toContain('VERSION:4.0')
    expect(write(card('FN:J', 'N:J;;;;', 'KIND:individual'))).toContain('VERSION:4.0')
    expect(write(card('FN:J', 'PHOTO;ENCODING=b;TYPE=jpeg:AAAA'))).toContain('VERSION:3.0')
  })

  it('numbers groups anew', () => {
    expect(write(card('VERSION:3.0', 'item7.TEL:1', 'item7.X-ABLabel:a', 'item3.TEL:2', 'item3.X-ABLabel:b'))).toContain(
      'item1.TEL:1\r\nitem1.X-ABLABEL:a\r\nitem2.TEL:2\r\nitem2.X-ABLABEL:b\r\n')
  })

  it('carries a REV only when it is told one', () => {
    expect(formatVcard('u', { FN: 'FN:J' }, undefined, '2026-01-02T03:04:05Z')).toEqual(
      E.right('BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u\r\nFN:J\r\nREV:20260102T030405Z\r\nEND:VCARD\r\n'))
    expect(formatVcard('u', { FN: 'FN:J' }, undefined, 'yesterday')).toEqual(E.left('rev is not an RFC 3339 UTC instant'))
  })

  it.each([
    ['not text', { FN: 1 }], ['another property', { FN: 'TEL:1' }], ['no line', { FN: 'J' }],
    ['an injected component', { FN: 'FN:J\nEND:VCARD' }], ['an injected UID', { FN: 'FN:J\nUID:x' }], ['a bare CR', { FN: 'FN:J\rX:1' }],
  ])('is refused when a value is %s', (_, fields) => expect(E.isLeft(formatVcard('u', fields))).toBe(true))
})
