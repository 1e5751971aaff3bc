/**
 * Knows the end of a streamed flow: what the source no longer has is deleted at the destination, after the complete
 * listing and the guard, page by page (SYNC.md §A.4). Nothing else of a streamed flow ever deletes.
 */
import { hash } from 'node:crypto'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { classify } from './classify.ts'
import type { FlowEnd, Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { guard } from './guard.ts'
import { plan, type Policy } from './plan.ts'
import { commitRound } from './streamed-commit.ts'
import type { Stream } from './stream.ts'

const pageSize = 1_000

/** Answers how the flow ends early (held), or undefined when it may go on to its final commit. */
export const sweep = async (stream: Stream, coverage: 'listing' | 'delta'): Promise<E.Either<SyncFailure, Partial<FlowEnd> | undefined>> => {
  const { context, ledger } = stream
  if (stream.unsettled !== undefined || stream.phase === 'first') return E.right(undefined)
  if (coverage === 'delta' && stream.gone.length === 0) return E.right(undefined)
  const counted = await ledger.count(stream.gen, context.signal)()
  if (E.isLeft(counted)) return counted
  const { links } = counted.right
  const deletes = coverage === 'listing' ? counted.right.unseen : stream.gone.length
  if (deletes === 0) return E.right(undefined)
  const follows = stream.deletesAllowed && (context.flow.deletes ?? 'follow') === 'follow'
  if (follows) {
    const verdict = guard({
      linksA: links, linksB: links, deletesA: 0, deletesB: deletes, createsA: 0, createsB: 0, changedA: 0, changedB: 0,
      emptyA: coverage === 'listing' && stream.seen === 0, emptyB: false, firstSync: false,
    }, context.flow.guards ?? {})
    const planHash = hash('sha256', `${context.flow.id}|${coverage}|${deletes}|${links}`, 'hex').slice(0, 16)
    const view = { hash: planHash, moves: [], total: deletes }
    if (verdict.is === 'held' && context.item.approved !== planHash) return E.right({ held: { by: verdict.by, message: verdict.message }, plan: view })
    if (context.item.dryRun === true) return E.right({ plan: view })
  }
  if (context.item.dryRun === true) return E.right(undefined)
  return coverage === 'listing' ? sweepUnseen(stream, follows) : sweepGone(stream, follows)
}

const sweepUnseen = async (stream: Stream, follows: boolean): Promise<E.Either<SyncFailure, undefined>> => {
  for (let after = ''; ; ) {
    const page = await stream.ledger.unseen(stream.gen, after, pageSize, stream.context.signal)()
    if (E.isLeft(page)) return page
    const lastKey = page.right.at(-1)?.[0]
    if (lastKey === undefined) return E.right(undefined)
    const done = await deletePage(stream, page.right, follows)
    if (E.isLeft(done)) return done
    after = lastKey
  }
}

const sweepGone = async (stream: Stream, follows: boolean): Promise<E.Either<SyncFailure, undefined>> => {
  for (let from = 0; from < stream.gone.length; from += pageSize) {
    const links = await stream.ledger.links(stream.gone.slice(from, from + pageSize), stream.context.signal)()
    if (E.isLeft(links)) return links
    const done = await deletePage(stream, [...links.right], follows)
    if (E.isLeft(done)) return done
  }
  return E.right(undefined)
}

/** Looked at once more: what was edited at the destination is kept, the rest is archived and deleted if still unchanged. */
const deletePage = async (stream: Stream, links: ReadonlyArray<readonly [string, Link]>, follows: boolean): Promise<E.Either<SyncFailure, void>> => {
  const { context } = stream
  if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
  const policy: Policy = { direction: 'one-way', drift: 'ignore', deletes: follows ? 'follow' : 'keep', deletesAllowed: follows }
  const found = follows ? await context.b.find(links.map(([, link]) => link.key), context.signal)() : E.right([])
  if (E.isLeft(found)) return found
  const byKey = new Map(found.right.map((item) => [item.key, item]))
  const planned = links.map(([linkKey, link]): Planned => {
    const item = byKey.get(link.key)
    const entry: Entry = {
      key: link.key,
      linkKey,
      link,
      a: { is: 'deleted', by: 'listing' },
      b: classify(link, 'destination', item !== undefined ? { is: 'item', item } : follows ? { is: 'gone', by: 'tombstone' } : { is: 'silent' }),
    }
    return { entry, move: plan(entry.a, entry.b, policy) }
  })
  const committed = await commitRound(stream, { puts: [], planned, again: [] }, null)
  return E.isLeft(committed) ? committed : E.right(undefined)
}
