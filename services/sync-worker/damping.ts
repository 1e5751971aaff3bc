/**
 * Knows when an item swings: written to and fro by us although no person is that quick (SYNC.md §B.7). Remembers our last
 * eight updates of an item in its link. Pure.
 */
import { hashOf } from '#libs/domain/record.ts'
import type { SideName } from './classify.ts'
import type { Entry } from './gather.ts'
import { contentOf, endAsIs, type Target } from './targets.ts'

/** One update as text, because a million links are stored: side, second (base 36), begin of the content's hash. */
type Written = { readonly side: 'a' | 'b'; readonly second: number; readonly hash: string }

const windowSeconds = 600
const mostKept = 8
/** So many in each direction within the window. */
const mostEachWay = 3

const read = (text: string): Written => {
  const [second = '0', hash = ''] = text.slice(1).split('.')
  return { side: text.startsWith('a') ? 'a' : 'b', second: Number.parseInt(second, 36), hash }
}

const recent = (writes: ReadonlyArray<string> | undefined, now: number): ReadonlyArray<string> =>
  (writes ?? []).filter((text) => read(text).second > now / 1000 - windowSeconds)

const written = (side: SideName, hash: string, now: number): string => `${side === 'source' ? 'a' : 'b'}${Math.floor(now / 1000).toString(36)}.${hash.slice(0, 8)}`

/** The link's record of updates after this target was reached; creates and deletes are not updates. */
export const writesAfter = (entry: Entry, { a, b }: Target, now: number): ReadonlyArray<string> => {
  const kept = [...recent(entry.link?.writes, now)]
  if (b.is === 'put' && endAsIs(entry, 'destination') !== 'absent') kept.push(written('destination', hashOf(b.fields), now))
  if (a.is === 'put' && endAsIs(entry, 'source') !== 'absent') kept.push(written('source', hashOf(a.fields), now))
  return kept.slice(-mostKept)
}

/** Why one more update of `on` would be a swing; undefined = it is not. */
export const swing = (entry: Entry, on: SideName, now: number): string | undefined => {
  const before = recent(entry.link?.writes, now).map(read)
  const from = contentOf(on === 'source' ? entry.b : entry.a)
  if (from === undefined || before.length < 3) return undefined
  const all = [...before, read(written(on, hashOf(from.fields), now))]
  const a = all.filter(({ side }) => side === 'a').length
  const b = all.length - a
  if (a >= mostEachWay && b >= mostEachWay) return `OSCILLATION: written ${a} times at the source and ${b} times at the destination within ${windowSeconds / 60} minutes`
  const [w, x, y, z] = all.slice(-4)
  // One side going to and fro is somebody's edits; both sides answering each other is a loop.
  const returns = w !== undefined && x !== undefined && y !== undefined && z !== undefined && w.hash === y.hash && x.hash === z.hash && w.hash !== x.hash
  return returns && a > 0 && b > 0 ? 'OSCILLATION: the two sides keep answering each other with the same two contents' : undefined
}
