/** Knows what follows an item's outcome, in spooled and streamed flows alike: its link, its count, its parked record. */
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { setAside, stillTheSame } from './aside.ts'
import type { SideName } from './classify.ts'
import type { Entry } from './gather.ts'
import { linkOf } from './link-of.ts'
import { parkedRecord } from './park.ts'
import type { FlowContext } from './run-context.ts'
import { contentOf, endAsIs, whereItIs, type Task } from './targets.ts'

/** The link of an item that both sides show as they should already. `adopt`: they were found to be equal just now. */
export const rememberEnds = (context: FlowContext, entry: Entry, how: 'refresh' | 'adopt'): Link | undefined => {
  // Still in trouble, or out of one side's scope: only where it stands is news.
  const inTrouble = how === 'refresh' && entry.link !== undefined && entry.link.st !== 'linked' && !(entry.a.is === 'unchanged' && entry.b.is === 'unchanged')
  if (inTrouble && (entry.link.st === 'tomb' ? entry.link.idA === undefined || entry.link.idB === undefined : stillTheSame(entry))) return whereItIs(entry, entry.link)
  // A side may store less than was agreed on: where a base is known and neither side changed, it stays.
  const known = entry.link?.fh !== undefined && entry.a.is === 'unchanged' && entry.b.is === 'unchanged'
  const agreed = known ? undefined : (contentOf(entry.a)?.fields ?? contentOf(entry.b)?.fields)
  return linkOf(entry, endAsIs(entry, 'source'), endAsIs(entry, 'destination'), {
    keepBase: context.connection.strategy === 'merge',
    ...(agreed === undefined ? {} : { agreed }),
  })
}

export const tally = (context: FlowContext, { entry, target }: Task): void => {
  for (const side of ['source', 'destination'] as const) {
    const want = side === 'source' ? target.a : target.b
    const was = endAsIs(entry, side)
    if (want.is === 'put') context.counts[was === 'absent' ? 'created' : 'updated']++
    if (want.is === 'remove' && was !== 'absent') context.counts.deleted++
  }
}

/** The record that says so is stored for good before the cursor may pass the item (SYNC.md §A.5 step 8). Answers its link. */
export const park = async (context: FlowContext, entry: Entry, side: SideName, failure: SyncFailure): Promise<E.Either<SyncFailure, Link>> => {
  const seen = side === 'source' ? entry.a : entry.b
  const said = await context.ports.sayParked(
    parkedRecord(context.connection.id, context.flow.id, context.item.run, context.ports.clock.now(), {
      key: entry.key,
      side,
      why: failure.message,
      ...(seen.is === 'bad' || seen.is === 'unchanged' ? { remoteId: seen.remoteId } : seen.is === 'changed' ? { remoteId: seen.item.remoteId, version: seen.item.version } : {}),
      ...(failure.code === undefined ? {} : { code: failure.code }),
      ...(failure.mend === undefined ? {} : { mend: failure.mend }),
    }),
    context.trace,
  )()
  if (E.isLeft(said)) return said
  context.counts.parked++
  return E.right(setAside(entry, 'parked', failure.message))
}
