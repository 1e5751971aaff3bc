/**
 * Knows the provider `file`: a folder of .vcf or .ics files, one item each, or a .jsonl or .csv file of records.
 * Does not know what is in them: folder-side.ts and records-side.ts do.
 */
import { E } from '../../fp.ts'
import { needsPerson } from '../../domain/failure.ts'
import type { Connector } from '../connector.ts'
import { folderSide } from './folder-side.ts'
import { decodeOptions } from './options.ts'
import { ownWrites } from './own-writes.ts'
import { openPlace } from './place.ts'
import { recordsSide } from './records-side.ts'

/**
 * Options: `path`, `format?` ('vcf' | 'ics' | 'jsonl' | 'csv', told by kind and path), `key?` (fields that identify a
 * record, default `id`), `readOnly?`, `root?` (the path must lie inside). A path that is not there fails as
 * `needs-person`: it is never an empty listing.
 */
export const fileConnector: Connector = {
  provider: 'file',
  validate: (options, kind) => {
    const decoded = decodeOptions(options, kind)
    return E.isLeft(decoded) ? decoded.left : []
  },
  open: (ask) => async () => {
    const options = decodeOptions(ask.options, ask.kind)
    if (E.isLeft(options)) return E.left(needsPerson(options.left.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '), 'correct the options of the side'))
    const place = await openPlace(options.right)()
    if (E.isLeft(place)) return place
    const { format, key, readOnly } = options.right
    return E.right(format === 'vcf' || format === 'ics'
      ? folderSide(place.right, format, readOnly)
      : recordsSide(place.right, { format, key, readOnly, kind: ask.kind, mapped: ask.fields ?? null, own: ownWrites(`${ask.connection}/${ask.flow}/${ask.role} ${place.right.real}`) }))
  },
}
