/**
 * Knows how a page of a first sync crosses as it is: rows that are all thought to be new, their links and the checkpoint in one
 * transaction, and no row looked at by itself (SYNC.md §A.1.4). Whatever does not fit goes the way of all pages.
 */
import type { ChangePage, Reader } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { checkpointOf, type Stream } from './stream.ts'
import type { Glance } from './streamed-glance.ts'
import { settlePage } from './streamed-page.ts'

/** A merge needs a base of every field, a dry run writes nothing, and items that may meet themselves are looked up one by one. */
export const mayLoad = ({ connection, item, b, spread }: FlowContext, phase: Stream['phase']): boolean =>
  phase === 'first' && b.ledger?.load !== undefined && item.dryRun !== true && connection.strategy !== 'merge' && spread === undefined

/** After a page that did not fit so many go the long way, twice as many after the next one: the rest may be like it. */
const mostSpared = 64

export const crossPage = async (stream: Stream, page: ChangePage, coverage: Reader['coverage'], glance?: Glance): Promise<E.Either<SyncFailure, unknown>> => {
  const loaded = await loadPage(stream, page)
  return E.isLeft(loaded) || loaded.right ? loaded : settlePage(stream, page, coverage, glance)
}

/** Answers whether the page is done. */
const loadPage = async (stream: Stream, page: ChangePage): Promise<E.Either<SyncFailure, boolean>> => {
  const { context, ledger, loading } = stream
  const { batch } = page
  if (batch === undefined || ledger.load === undefined || stream.frozen || stream.parked > 0 || stream.gone.size > 0) return E.right(false)
  if (loading.spared > 0) {
    loading.spared -= 1
    return E.right(false)
  }
  const { count } = batch
  context.step('writing')
  // The last page's is the cursor of the next delta: it waits for the end of the stream.
  const cursor = page.last ? null : page.resume
  const { ports, hold, signal } = context
  const checkpoint = { ...checkpointOf(stream, stream.phase), links: stream.links + count, ...(cursor === null ? {} : { cursorA: cursor }) }
  const loaded = await inSpan(context, 'sync.commit', async () =>
    await ledger.load?.({ fence: hold.fence, batch, gen: stream.gen, at: ports.clock.now(), checkpoint }, signal)() ?? E.right(false))
  if (E.isLeft(loaded)) return E.left({ ...loaded.left, side: 'destination' })
  if (!loaded.right) {
    loading.spared = Math.min(mostSpared, 2 ** loading.refused)
    loading.refused += 1
    return loaded
  }
  loading.refused = 0
  stream.seen += count
  stream.links += count
  context.counts.read += count
  context.counts.created += count
  if (cursor !== null) stream.cursor = cursor
  return loaded
}
