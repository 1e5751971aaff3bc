/** Cards and calendars as programs write them, and what they say. */
import type { FolderFormat } from '#libs/connectors/file/options.ts'
import { itemFormats } from '#libs/connectors/file/item-format.ts'
import { E } from '#libs/fp.ts'
import type { LawItem } from '../../../laws/connector.laws.ts'

export const card = (uid: string, edition = 0): string => [
  'BEGIN:VCARD', 'VERSION:3.0', `UID:${uid}`, `FN:Zoë ${'e'.repeat(edition + 1)}`, 'N:Doe;Zoë;;;', 'TEL;TYPE=CELL:+49 1', 'TEL;TYPE=HOME:+49 2', `NOTE:a\\, b\\n${uid.length}`, 'END:VCARD', '',
].join('\r\n')

export const calendar = (uid: string, edition = 0): string => [
  'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'BEGIN:VEVENT', `UID:${uid}`, 'DTSTAMP:20260101T000000Z', 'DTSTART:20260102T100000Z', 'RRULE:FREQ=DAILY', `SUMMARY:tea ${'e'.repeat(edition + 1)}`, 'END:VEVENT', 'END:VCALENDAR', '',
].join('\r\n')

export const formats = {
  vcf: { kind: 'contact', text: card, poison: { FN: 42 } },
  ics: { kind: 'event', text: calendar, poison: { 'VEVENT/SUMMARY': 42 } },
} as const

export const oddUids = ['ключ', 'with space', 'a/b', 'a%2Fb', '..', '.hidden', 'Case', 'case', '-rf', 'x'.repeat(500)]

export const itemOf = (format: FolderFormat, text: string): LawItem => {
  const parsed = itemFormats[format].parse(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return { key: parsed.right.key, fields: parsed.right.fields }
}
