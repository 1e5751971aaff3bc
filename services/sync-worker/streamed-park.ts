/** Knows how items of a streamed page are set aside, and which of them only look new and must be looked at once more. */
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { isAside } from './aside.ts'
import type { SideName } from './classify.ts'
import type { Entry } from './gather.ts'
import { park } from './outcome.ts'
import { checkpointOf, type Stream } from './stream.ts'

export type Parking = { readonly entry: Entry; readonly failure: SyncFailure; readonly side: SideName }

/** A first sync takes every row for new, and looks for its link only here: one of another id with this identity is a rival (T14). */
export const rivalsOf = async ({ phase, ledger, context }: Stream, parking: ReadonlyArray<Parking>): Promise<E.Either<SyncFailure, ReadonlySet<Parking>>> => {
  const unlooked = phase === 'first' ? parking.filter(({ entry: { link, a } }) => link === undefined && a.is === 'changed') : []
  if (unlooked.length === 0) return E.right(new Set())
  const links = await ledger.links(unlooked.map(({ entry }) => entry.linkKey), context.signal)()
  if (E.isLeft(links)) return links
  return E.right(new Set(unlooked.filter(({ entry: { linkKey, a } }) => {
    const idA = links.right.get(linkKey)?.idA
    return idA !== undefined && a.is === 'changed' && idA !== a.item.remoteId
  })))
}

/** The record comes first, then the link that says so; the cursor follows with a later commit. */
export const parkAll = async (stream: Stream, parking: ReadonlyArray<Parking>, into?: Array<readonly [linkKey: string, link: Link]>): Promise<E.Either<SyncFailure, void>> => {
  if (parking.length === 0) return E.right(undefined)
  const puts: Array<readonly [linkKey: string, link: Link]> = []
  for (const { entry, side, failure } of parking) {
    const link = await park(stream.context, entry, side, failure)
    if (E.isLeft(link)) return link
    puts.push([entry.linkKey, { ...link.right, genA: stream.gen }])
    stream.touched.add(entry.linkKey)
  }
  if (into !== undefined) {
    into.push(...puts)
    return E.right(undefined)
  }
  stream.links += parking.filter(({ entry }) => entry.link === undefined).length
  stream.parked += parking.filter(({ entry }) => entry.link === undefined || !isAside(entry.link)).length
  const saved = await stream.ledger.commit({ fence: stream.context.hold.fence, writes: [], settle: () => ({ puts, drops: [], checkpoint: checkpointOf(stream, stream.phase) }) }, stream.context.signal)()
  return E.isLeft(saved) ? saved : E.right(undefined)
}
