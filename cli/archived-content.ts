/** Knows how the fields of an archived version become what a person can use again: a card, a calendar entry, or JSON. Pure. */
import type { ArchivedVersion } from '#libs/contracts/archive.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import { formatIcalendar } from '#libs/formats/icalendar.ts'
import { formatVcard } from '#libs/formats/vcard.ts'
import { E } from '#libs/fp.ts'

export const contentText = ({ kind, key, fields }: ArchivedVersion): string => {
  // What came by the wire is JSON by its making
  const content = fields as Fields
  const asJson = `${JSON.stringify(fields, null, 2)}\n`
  // An item without a UID of its own is known by its content
  const uid = key === hashOf(content) ? null : key
  switch (kind) {
    case 'contact':
      return E.getOrElse(() => asJson)(formatVcard(uid, content))
    case 'event':
      return E.getOrElse(() => asJson)(formatIcalendar(uid, content))
    case 'activity':
    case 'glucose-reading':
    case 'row':
      return asJson
  }
}
