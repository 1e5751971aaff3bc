/**
 * Knows the end of a streamed flow: what the source no longer has is deleted at the destination, after the complete
 * listing and the guard, page by page (SYNC.md §A.4). Nothing else of a streamed flow ever deletes.
 */
import type { Change } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { approvalOf, heldMessage } from './approval.ts'
import { classify } from './classify.ts'
import { policyOf } from './decide.ts'
import type { FlowEnd, Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { guard } from './guard.ts'
import { fetchAll } from './look.ts'
import { plan } from './plan.ts'
import { candidates, describe, type Candidates } from './streamed-candidates.ts'
import { commitRound } from './streamed-commit.ts'
import { mayDelete, type Stream } from './stream.ts'
import { settlePage } from './streamed-page.ts'

const rounds = 3
/** Absences that are confirmed by asking the source for each (SYNC.md §A.2, class D). */
const confirmAtMost = 500

/** `before`: the checkpoint whose held plan may have been approved. Answers how the flow ends early (held), or undefined. */
export const sweep = async (stream: Stream, coverage: 'listing' | 'delta', before: Parameters<typeof approvalOf>[1]['before']): Promise<E.Either<SyncFailure, Partial<FlowEnd> | undefined>> => {
  const { context, ledger } = stream
  if (stream.unsettled !== undefined) return E.right(undefined)
  if (stream.phase === 'first') return before === null ? E.right(undefined) : listAgain(stream)
  if (coverage === 'delta' && stream.gone.size === 0) return E.right(undefined)
  const dry = context.item.dryRun === true
  const follows = mayDelete(stream) && (context.flow.deletes ?? 'follow') === 'follow'
  if (dry && !follows) return E.right(undefined)
  const counted = await ledger.count(stream.gen, context.signal)()
  if (E.isLeft(counted)) return counted
  const { links, unseen } = counted.right
  if (coverage === 'listing' && unseen === 0) return E.right(undefined)
  // A dry run marks nothing in the ledger, and a tombstone may be of something parked that was never copied: only a look tells.
  const told = dry || (coverage === 'delta' && stream.parked > 0) ? await describe(stream, coverage) : E.right(undefined)
  if (E.isLeft(told)) return told
  if (dry && told.right?.total === 0) return E.right(undefined)
  const deletes = told.right?.total ?? (coverage === 'delta' ? stream.gone.size : counted.right.copied)
  if (coverage === 'listing' && stream.resuming && stream.seen === 0) {
    // The rest of a listing that was broken off shows nothing, though something is missing: believed only from its beginning.
    stream.warnings.push('the rest of the listing was empty: the source is listed anew')
    stream.cursor = null
    return E.right(undefined)
  }
  if (follows) {
    const verdict = guard({
      linksA: links, linksB: links, deletesA: 0, deletesB: deletes, createsA: 0, createsB: 0, changedA: 0, changedB: 0,
      emptyA: coverage === 'listing' && stream.seen === 0, emptyB: false, firstSync: false, observed: deletes, writes: deletes,
    }, context.flow.guards ?? {})
    if (verdict.is === 'held' || dry) {
      const view = told.right === undefined ? await describe(stream, coverage) : E.right(told.right)
      if (E.isLeft(view) || verdict.is === 'go') return E.isLeft(view) ? view : E.right({ plan: view.right })
      const approval = approvalOf(view.right.hash, { approved: context.item.approved, askedAt: context.item.askedAt, now: context.ports.clock.now(), before })
      if (approval.is !== 'given') return E.right({ held: { by: verdict.by, message: heldMessage(verdict.message, approval) }, plan: view.right })
      stream.heldPlan = undefined
    }
    if (dry) return E.right(undefined)
  }
  return deleteAll(stream, candidates(stream, coverage), follows, coverage === 'listing' && unseen <= confirmAtMost)
}

/** What a first sync that was broken off has linked may have gone since: not deleted now, but seen by the next listing (SYNC.md §0 rule 7). */
const listAgain = async (stream: Stream): Promise<E.Either<SyncFailure, undefined>> => {
  const counted = await stream.ledger.count(stream.gen, stream.context.signal)()
  if (E.isLeft(counted)) return counted
  stream.relists = counted.right.unseen > 0
  return E.right(undefined)
}

const deleteAll = async (stream: Stream, pages: Candidates, follows: boolean, confirm: boolean): Promise<E.Either<SyncFailure, undefined>> => {
  for await (const page of pages) {
    if (E.isLeft(page)) return page
    // What a changed filter shuts out is there all the same.
    const links = confirm && mayDelete(stream) ? await stillAbsent(stream, page.right) : page
    if (E.isLeft(links)) return links
    const done = await deletePage(stream, links.right, follows)
    if (E.isLeft(done)) return done
  }
  return E.right(undefined)
}

type Page = ReadonlyArray<readonly [string, Link]>

/** A source may leave things out of a listing: what it still has when asked for it is settled as if the listing had shown it. */
const stillAbsent = async (stream: Stream, links: Page): Promise<E.Either<SyncFailure, Page>> => {
  const ids = links.flatMap(([, link]) => link.idA ?? [])
  const fetched = await fetchAll(stream.context.a, ids, stream.context.signal)
  if (E.isLeft(fetched)) return fetched
  const bad = new Set(fetched.right.bad.map(({ remoteId }) => remoteId))
  const items = new Map(fetched.right.items.map((item) => [item.remoteId, item]))
  // Under another identity it is another item, which the listing showed.
  const isPresent = ({ idA, key }: Link): boolean => idA !== undefined && (bad.has(idA) || items.get(idA)?.key.normalize('NFC') === key.normalize('NFC'))
  const leftOut = new Set(links.flatMap(([, link]) => (isPresent(link) ? link.idA ?? [] : [])))
  if (leftOut.size === 0) return E.right(links)
  stream.notes.push(`the listing of the source left out ${leftOut.size} items that it still has`)
  const changes: ReadonlyArray<Change> = [...fetched.right.items.map((item): Change => ({ is: 'item', item })), ...fetched.right.bad]
  const settled = await settlePage(stream, { changes: changes.filter((change) => leftOut.has(change.is === 'item' ? change.item.remoteId : change.remoteId)), resume: null, last: true }, 'listing')
  return E.isLeft(settled) ? settled : E.right(links.filter(([, link]) => !isPresent(link)))
}

/** Looked at once more: what was edited at the destination is kept, the rest is archived and deleted if still unchanged. */
const deletePage = async (stream: Stream, links: Page, follows: boolean): Promise<E.Either<SyncFailure, void>> => {
  const { context } = stream
  let open = links
  for (let n = 0; n < rounds && open.length > 0; n++) {
    if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
    const found = follows ? await context.b.find(open.map(([, link]) => link.key), context.signal)() : E.right([])
    if (E.isLeft(found)) return found
    const byKey = new Map(found.right.map((item) => [item.key, item]))
    const policy = { ...policyOf(context, stream.phase, stream.scopeChanged), deletesAllowed: follows }
    const planned = open.map(([linkKey, link]): Planned => {
      const item = byKey.get(link.key)
      const entry: Entry = {
        key: link.key,
        linkKey,
        link,
        a: { is: 'deleted', by: 'listing' },
        b: classify(link, 'destination', item !== undefined ? { is: 'item', item } : follows ? { is: 'gone', by: 'tombstone' } : { is: 'silent' }),
      }
      return { entry, move: follows ? plan(entry.a, entry.b, policy) : { do: 'forget' } }
    })
    const committed = await commitRound(stream, { puts: [], planned, again: [] }, null)
    if (E.isLeft(committed)) return committed
    // They moved between the look and the delete: looked at again, and never passed by.
    open = committed.right.flatMap(({ linkKey, link }) => (link === undefined ? [] : [[linkKey, link] as const]))
  }
  if (open.length > 0) {
    stream.unsettled ??= { is: 'unavailable', message: `${open.length} rows changed ${rounds} times while they were being deleted`, code: 'CONTENDED' }
    stream.frozen = true
  }
  return E.right(undefined)
}
