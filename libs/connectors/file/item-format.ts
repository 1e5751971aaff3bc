/** Knows the two formats an item file may have, as one pair of functions. Does not know folders. */
import { E } from '../../fp.ts'
import { hashOf, type Fields } from '../../domain/record.ts'
import { formatIcalendar, parseIcalendar } from '../../formats/icalendar.ts'
import { formatVcard, parseVcard } from '../../formats/vcard.ts'
import type { FolderFormat } from './options.ts'

export type ItemText = { readonly key: string; readonly uid: string | null; readonly fields: Fields }

export type ItemFormat = {
  readonly extension: string
  /** Left: `line 3: …`. An item without UID is identified by its content (T12). */
  readonly parse: (text: string) => E.Either<string, ItemText>
  /** An existing card keeps its version; what is not a field (CREATED) is taken from the previous text. */
  readonly format: (uid: string | null, fields: Fields, previous?: string) => E.Either<string, string>
}

const keyed = ({ uid, fields }: { readonly uid: string | null; readonly fields: Fields }): ItemText => ({ key: uid ?? hashOf(fields), uid, fields })

export const itemFormats: Readonly<Record<FolderFormat, ItemFormat>> = {
  vcf: { extension: '.vcf', parse: (text) => E.map(keyed)(parseVcard(text)), format: (uid, fields, previous) => formatVcard(uid, fields, previous) },
  ics: { extension: '.ics', parse: (text) => E.map(keyed)(parseIcalendar(text)), format: (uid, fields, previous) => formatIcalendar(uid, fields, previous) },
}
