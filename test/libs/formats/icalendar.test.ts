import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { formatIcalendar, parseIcalendar, type ParsedIcalendar } from '#libs/formats/icalendar.ts'

const calendar = (...lines: ReadonlyArray<string>): string => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', ...lines, 'END:VCALENDAR', ''].join('\r\n')
const event = (...lines: ReadonlyArray<string>): ReadonlyArray<string> => ['BEGIN:VEVENT', 'UID:u', ...lines, 'END:VEVENT']
const read = (text: string): ParsedIcalendar => {
  const parsed = parseIcalendar(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return parsed.right
}
const write = (text: string, previous?: string, stamp?: string): string => {
  const { uid, fields } = read(text)
  const written = formatIcalendar(uid, fields, previous, stamp)
  if (E.isLeft(written)) throw new Error(written.left)
  return written.right
}

const paris = ['BEGIN:VTIMEZONE', 'TZID:Europe/Paris', 'LAST-MODIFIED:20200101T000000Z', 'BEGIN:STANDARD', 'DTSTART:19701025T030000', 'TZOFFSETTO:+0100', 'TZOFFSETFROM:+0200', 'END:STANDARD', 'END:VTIMEZONE']
const series = calendar(
  'METHOD:PUBLISH', 'X-WR-CALNAME:mine', ...paris,
  ...event('DTSTAMP:20260101T000000Z', 'CREATED:20250101T000000Z', 'LAST-MODIFIED:20260102T000000Z', 'SEQUENCE:2',
    'DTSTART;TZID=Europe/Paris:20260101T100000', 'RRULE:FREQ=SECONDLY', 'EXDATE;TZID=Europe/Paris:20260104T100000,20260103T100000',
    'SUMMARY:Tea\\, 🫖\\nwith Zoe\u0308', 'ATTENDEE;partstat=accepted;CN="Doe; J":mailto:j@x',
    'BEGIN:VALARM', 'TRIGGER:-PT5M', 'ACTION:DISPLAY', 'END:VALARM'),
  ...event('RECURRENCE-ID;TZID=Europe/Paris:20260102T100000', 'LAST-MODIFIED:20260103T000000Z', 'DTSTART;TZID=Europe/Paris:20260102T120000', 'SUMMARY:later'),
)

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\\', ';', ',', ':', 'n', 'N', '"', 'e', '\u0301', '\u037e', ' ', '🫖'), maxLength: 20 }),
).map((text) => text.toWellFormed().replace(/[\r\n\0]/g, ''))
const property = fc.tuple(
  fc.constantFrom('DTSTART', 'SUMMARY', 'DESCRIPTION', 'location', 'ATTENDEE', 'EXDATE', 'RDATE', 'CATEGORIES', 'RESOURCES', 'RRULE', 'X-A', 'GEO', 'DTSTAMP'),
  fc.array(fc.tuple(fc.constantFrom('TZID', 'CN', 'role', 'VALUE', 'X-P'), value.map((text) => `"${text.replaceAll('"', '')}"`)), { maxLength: 2 }), value,
).map(([name, parameters, text]) => `${name}${parameters.map(([key, one]) => `;${key}=${one}`).join('')}:${text}`)
const body = fc.tuple(fc.array(property, { minLength: 0, maxLength: 8 }), fc.array(fc.array(property, { maxLength: 3 }), { maxLength: 2 }))
  .map(([lines, alarms]) => ['DTSTART:20260101', ...lines, ...alarms.flatMap((alarm) => ['BEGIN:VALARM', ...alarm, 'END:VALARM'])])
const arbitraryIcalendar = fc.tuple(body, fc.uniqueArray(fc.integer({ min: 10, max: 28 }), { maxLength: 3 }), body)
  .map(([master, days, override]) => calendar(...paris, ...event(...master), ...days.flatMap((day) => event(`RECURRENCE-ID:202601${day}`, ...override))))

describe('reading what was written', () => {
  it('gives the same uid and fields', () => {
    fc.assert(fc.property(arbitraryIcalendar, (text) => {
      const { uid, fields } = read(text)
      expect(read(write(text))).toEqual({ uid, fields })
      expect(write(write(text))).toBe(write(text))
    }), { numRuns: 300, examples: [[calendar(...event('DTSTART:20260101', 'CATEGORIES:', 'EXDATE:', 'X-A:a\\n\u0301'))]] })
    expect(read(write(series)).fields).toEqual(read(series).fields)
  })
})

describe('a calendar resource read', () => {
  it('is a master, its overrides by recurrence id, alarms and time zones as fields', () => {
    expect(read(series)).toEqual({
      uid: 'u',
      rev: '2026-01-03T00:00:00Z',
      fields: {
        'VEVENT/ATTENDEE': ['ATTENDEE;CN="Doe; J";PARTSTAT=ACCEPTED:mailto:j@x'],
        'VEVENT/DTSTART': 'DTSTART;TZID=Europe/Paris:20260101T100000',
        'VEVENT/EXDATE': ['EXDATE;TZID=Europe/Paris:20260103T100000', 'EXDATE;TZID=Europe/Paris:20260104T100000'],
        'VEVENT/RRULE': 'RRULE:FREQ=SECONDLY',
        'VEVENT/SEQUENCE': 'SEQUENCE:2',
        'VEVENT/SUMMARY': 'SUMMARY:Tea\\, 🫖\\nwith Zo\u00eb',
        'VEVENT/VALARM': ['BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM'],
        'VEVENT[20260102T100000]/DTSTART': 'DTSTART;TZID=Europe/Paris:20260102T120000',
        'VEVENT[20260102T100000]/RECURRENCE-ID': 'RECURRENCE-ID;TZID=Europe/Paris:20260102T100000',
        'VEVENT[20260102T100000]/SUMMARY': 'SUMMARY:later',
        'VTIMEZONE/Europe/Paris': 'BEGIN:VTIMEZONE\nTZID:Europe/Paris\nBEGIN:STANDARD\nDTSTART:19701025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE',
      },
    })
  })

  it('keeps an all-day event a date', () => {
    const text = calendar(...event('DTSTART;VALUE=DATE:20260101', 'DTEND;VALUE=DATE:20260102'))
    expect(read(text).fields['VEVENT/DTSTART']).toBe('DTSTART;VALUE=DATE:20260101')
    expect(write(text)).toContain('DTSTART;VALUE=DATE:20260101\r\n')
  })

  it('may be a to-do, an override without its master, or carry components we do not know', () => {
    expect(read(calendar('BEGIN:VTODO', 'UID:u', 'SUMMARY:x', 'END:VTODO')).fields).toEqual({ 'VTODO/SUMMARY': 'SUMMARY:x' })
    expect(Object.keys(read(calendar(...event('RECURRENCE-ID:20260101', 'SUMMARY:x'))).fields)).toEqual(['VEVENT[20260101]/RECURRENCE-ID', 'VEVENT[20260101]/SUMMARY'])
    const odd = calendar(...event('SUMMARY:x'), 'BEGIN:X-OWN', 'A:1', 'END:X-OWN')
    expect(read(odd).fields['X-OWN']).toEqual(['BEGIN:X-OWN\nA:1\nEND:X-OWN'])
    expect(write(odd)).toContain('BEGIN:X-OWN\r\nA:1\r\nEND:X-OWN\r\n')
  })

  it('is the same with bare LF', () => expect(read(series.replaceAll('\r\n', '\n'))).toEqual(read(series)))

  it.each([
    ['of two UIDs', calendar(...event('SUMMARY:a'), 'BEGIN:VEVENT', 'UID:v', 'RECURRENCE-ID:20260101', 'END:VEVENT'), 'line 8: a second UID in one resource'],
    ['with two masters', calendar(...event('SUMMARY:a'), ...event('LOCATION:b')), 'line 8: a second component for the same occurrence'],
    ['with an event and a to-do', calendar(...event('SUMMARY:a'), 'BEGIN:VTODO', 'UID:u', 'DUE:20260101', 'END:VTODO'), 'line 8: different kinds of component in one resource'],
    ['without an event', calendar(...paris), 'line 1: a calendar without an event, to-do or journal entry'],
    ['with an empty event', calendar(...event()), 'line 4: an empty component'],
    ['with a strange recurrence id', calendar(...event('RECURRENCE-ID:a]/b', 'SUMMARY:x')), 'line 4: a RECURRENCE-ID that is no date'],
    ['with a nameless zone', calendar('BEGIN:VTIMEZONE', 'END:VTIMEZONE', ...event('SUMMARY:a')), 'line 4: a VTIMEZONE without TZID'],
    ['that is a vCard', 'BEGIN:VCARD\nEND:VCARD', 'line 1: not a calendar'],
    ['with a missing END', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\n', 'line 2: BEGIN:VEVENT has no END'],
    ['that is empty', '', 'line 1: empty, no BEGIN found'],
  ])('is refused when it is one %s', (_, text, report) => expect(parseIcalendar(text)).toEqual(E.left(report)))
})

describe('a calendar resource written', () => {
  it('takes DTSTAMP from the stamp, else from the previous text, and CREATED from the previous text', () => {
    const plain = calendar(...event('SUMMARY:new'))
    expect(write(plain, series)).toMatch(/DTSTAMP:20260101T000000Z\r\nCREATED:20250101T000000Z\r\nSUMMARY/)
    expect(write(plain, series, '2027-01-01T00:00:00Z')).toMatch(/DTSTAMP:20270101T000000Z\r\nCREATED:20250101T000000Z\r\nLAST-MODIFIED:20270101T000000Z/)
    expect(write(plain)).toContain('DTSTAMP:19700101T000000Z')
  })

  it('is valid: version, product, folded lines', () => {
    const text = write(calendar(...event(`SUMMARY:${'ü'.repeat(100)}`)))
    expect(text).toMatch(/^BEGIN:VCALENDAR\r\nVERSION:2\.0\r\nPRODID:-\/\/Syncline/)
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
  })

  it.each([
    ['no event', { 'VTIMEZONE/x': 'BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE' }],
    ['a rest of an override', { 'VEVENT/SUMMARY': 'SUMMARY:a', 'VEVENT[20260101]/SUMMARY': 'SUMMARY:b' }],
    ['an injected component', { 'VEVENT/SUMMARY': 'SUMMARY:a\nEND:VEVENT' }],
    ['a broken alarm', { 'VEVENT/SUMMARY': 'SUMMARY:a', 'VEVENT/VALARM': ['BEGIN:VALARM\nEND:VEVENT'] }],
    ['a field of nothing', { 'VEVENT/SUMMARY': 'SUMMARY:a', SUMMARY: 'SUMMARY:b' }],
  ])('is refused when there is %s', (_, fields) => expect(E.isLeft(formatIcalendar('u', fields))).toBe(true))
})
