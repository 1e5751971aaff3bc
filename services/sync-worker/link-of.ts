/** Knows what is remembered of an item once the writes are done: its link. */
import type { Link } from '#libs/domain/link.ts'
import { fieldHashesOf, type Fields } from '#libs/domain/record.ts'
import type { Entry } from './gather.ts'
import type { End } from './targets.ts'

type LinkOptions = {
  readonly keepBase: boolean
  /** The content both now show. */
  readonly agreed?: Fields
  /** When we wrote there just now, ms since the epoch. */
  readonly wroteA?: number
  readonly wroteB?: number
  readonly writes?: ReadonlyArray<string>
}

/** The link that remembers both ends; undefined = nothing is left to remember. */
export const linkOf = (entry: Entry, a: End, b: End, options: LinkOptions): Link | undefined => {
  if (a === 'absent' && b === 'absent') return undefined
  const base = options.keepBase ? (options.agreed === undefined ? entry.link?.fh : fieldHashesOf(options.agreed)) : undefined
  const wroteA = options.wroteA ?? entry.link?.wroteA
  const wroteB = options.wroteB ?? entry.link?.wroteB
  const writes = options.writes ?? entry.link?.writes
  // One for every row that is written: put together in place, because each copy is garbage.
  const link: { -readonly [Name in keyof Link]: Link[Name] } = { key: entry.key, st: 'linked' }
  if (a !== 'absent') {
    link.idA = a.id
    link.verA = a.version
    link.hA = a.hash
    if (wroteA !== undefined) link.wroteA = wroteA
  }
  if (b !== 'absent') {
    link.idB = b.id
    link.verB = b.version
    link.hB = b.hash
    if (wroteB !== undefined) link.wroteB = wroteB
  }
  if (base !== undefined) link.fh = base
  if (writes !== undefined && writes.length > 0) link.writes = writes
  return link
}
