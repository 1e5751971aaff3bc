/**
 * Knows one collection of the sandbox provider: items with etags, a journal of changes that sync tokens point into, and
 * preconditions as the vendors document them. Time comes in; knows nothing of HTTP.
 */
import type { Fields } from '#libs/domain/record.ts'

export type Stored = { readonly id: string; readonly key: string; readonly fields: Fields; readonly rev: number; readonly at: number }
/** An item as it is shown; `deleted` in deltas. */
export type Shown = Stored | { readonly id: string; readonly key: string; readonly deleted: true }

export type Precondition = { readonly ifMatch?: string; readonly ifNoneMatch?: string }
export type Changed =
  | { readonly is: 'created' | 'updated'; readonly stored: Stored; readonly before: Stored | undefined }
  | { readonly is: 'deleted'; readonly before: Stored }
  | { readonly is: 'failed'; readonly before: Stored | undefined }
  | { readonly is: 'missing' }
  | { readonly is: 'duplicate'; readonly of: Stored }

export type Page = { readonly items: ReadonlyArray<Shown>; readonly coverage: 'listing' | 'delta'; readonly nextPageToken?: string; readonly nextSyncToken?: string }

export type Settings = {
  /** What is written from now on shows only so much later, in listings and when asked for; before that the version before it does. */
  readonly lateMs: number
  /** Keys of items that are never accepted. */
  readonly refuses: ReadonlyArray<string>
  /** Keys of items nobody can read. */
  readonly garbled: ReadonlyArray<string>
}

export type Collection = {
  settings: Settings
  /** A page of a complete listing; `lost`: the token means nothing (any more). Page tokens are of no use after `expire`. */
  readonly list: (limit: number, token?: string) => Page | 'lost'
  readonly get: (id: string) => Stored | undefined
  readonly byKeys: (keys: ReadonlyArray<string>) => ReadonlyArray<Stored>
  readonly put: (id: string, key: string, fields: Fields, when: Precondition) => Changed
  readonly remove: (id: string, when: Precondition) => Changed
  /** All tokens given so far lose their meaning. */
  readonly expire: () => void
  /** What really stands there, whatever is shown. */
  readonly all: () => ReadonlyArray<Stored>
}

type Kept = { readonly now: Stored; readonly before: Stored | undefined; readonly shownAt: number }

export const etagOf = ({ rev }: Stored): string => `"r${rev}"`

export const openCollection = (clock: () => number): Collection => {
  const kept = new Map<string, Kept>()
  const journal = new Map<string, { readonly id: string; readonly key: string; readonly place: number }>()
  let place = 0
  let era = 1

  const note = (id: string, key: string): number => {
    place += 1
    journal.delete(id) // so that the map stays in journal order
    journal.set(id, { id, key, place })
    return place
  }
  const meets = (there: Stored | undefined, { ifMatch, ifNoneMatch }: Precondition): boolean => {
    if (ifNoneMatch === '*') return there === undefined
    if (ifMatch === undefined) return true
    return there !== undefined && (ifMatch === '*' || ifMatch === etagOf(there))
  }
  const shown = ({ now, before, shownAt }: Kept): Stored | undefined => (self.settings.lateMs > 0 && clock() < shownAt ? before : now)

  const listing = (limit: number, at: number, after: string): Page => {
    const rest = [...kept.values()].map(shown).filter((one) => one !== undefined && one.id > after).sort((x, y) => ((x?.id ?? '') < (y?.id ?? '') ? -1 : 1)) as Array<Stored>
    const items = rest.slice(0, limit)
    const more = rest.length > limit
    return { items, coverage: 'listing', ...(more ? { nextPageToken: `l.${era}.${at}.${encode(items.at(-1)?.id ?? '')}` } : { nextSyncToken: `s.${era}.${at}` }) }
  }
  const delta = (limit: number, after: number, end: number): Page => {
    const rest = [...journal.values()].filter((entry) => entry.place > after && entry.place <= end)
    const page = rest.slice(0, limit)
    const items = page.map(({ id, key }): Shown => kept.get(id)?.now ?? { id, key, deleted: true })
    const more = rest.length > limit
    return { items, coverage: 'delta', ...(more ? { nextPageToken: `d.${era}.${page.at(-1)?.place ?? after}.${end}` } : { nextSyncToken: `s.${era}.${end}` }) }
  }

  const self: Collection = {
    settings: { lateMs: 0, refuses: [], garbled: [] },
    list: (limit, token) => {
      if (token === undefined) return listing(limit, place, '')
      const [kind, ofEra, first = '', second = ''] = token.split('.')
      if (ofEra !== String(era) || !/^\d+$/.test(first) || Number(first) > place) return 'lost'
      switch (kind) {
        case 's': return delta(limit, Number(first), place)
        case 'd': return /^\d+$/.test(second) ? delta(limit, Number(first), Number(second)) : 'lost'
        case 'l': return listing(limit, Number(first), decode(second))
        default: return 'lost'
      }
    },
    get: (id) => {
      const found = kept.get(id)
      return found === undefined ? undefined : shown(found)
    },
    byKeys: (keys) => {
      const wanted = new Set(keys)
      return [...kept.values()].flatMap((one) => shown(one) ?? []).filter(({ key }) => wanted.has(key))
    },
    put: (id, key, fields, when) => {
      const before = kept.get(id)?.now
      if (!meets(before, when)) return { is: 'failed', before }
      const twin = [...kept.values()].find(({ now }) => now.key === key && now.id !== id)?.now
      if (twin !== undefined) return { is: 'duplicate', of: twin }
      const stored: Stored = { id, key, fields, rev: note(id, key), at: clock() }
      kept.set(id, { now: stored, before, shownAt: clock() + self.settings.lateMs })
      return { is: before === undefined ? 'created' : 'updated', stored, before }
    },
    remove: (id, when) => {
      const before = kept.get(id)?.now
      if (before === undefined) return { is: 'missing' }
      if (!meets(before, when)) return { is: 'failed', before }
      kept.delete(id)
      note(id, before.key)
      return { is: 'deleted', before }
    },
    expire: () => { era += 1 },
    all: () => [...kept.values()].map(({ now }) => now),
  }
  return self
}

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const decode = (text: string): string => Buffer.from(text, 'base64url').toString()
