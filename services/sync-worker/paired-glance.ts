/**
 * Knows how one page of one side becomes entries: its links, its counterparts at the other side, and all of it gathered by
 * the rules of every spooled flow (gather.ts). Rows that show what their link says are passed by.
 */
import type { Change } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { otherOf, rememberedOf, type SideName } from './classify.ts'
import { gather, type Entry } from './gather.ts'
import { identity, unreadableKey, type Sighting } from './sighting.ts'
import { counterpartsOf, findThere, hasSpellings } from './paired-find.ts'
import type { PairedRun } from './paired-run.ts'
import { isPassable, sortOut } from './paired-sort.ts'
import { unsureIn } from './spooled-checkpoint.ts'

export type Glance = {
  readonly entries: ReadonlyArray<Entry>
  /** Identities that the other side shows. */
  readonly shownThere: ReadonlySet<string>
  /** Told with another page: several ids share its identity, and this page does not show the first of them. */
  readonly elsewhere: ReadonlySet<Entry>
  /** What was read beyond "as before". */
  readonly read: number
  /** Rows that were passed by. */
  readonly passedBy: number
  readonly waits: boolean
}

export type GlanceAsk = {
  readonly side: SideName
  readonly changes: ReadonlyArray<Change>
  /** Whether a row that shows what its link says needs no look at its counterpart. */
  readonly isSettled: (link: Link) => boolean
  /** Identities of this side that were looked at already, because one of their ids is gone: what an earlier read tells of them is old. */
  readonly moved: Set<string>
}

export const glance = async (run: PairedRun, { side, changes, isSettled, moved }: GlanceAsk): Promise<E.Either<SyncFailure, Glance>> => {
  const { context, ledger } = run
  const links = new Map<string, Link>()
  const sorted = await sortOut(run, side, changes, links)
  if (E.isLeft(sorted)) return sorted
  const { gone, bad, same } = sorted.right
  const linkOf = (key: string): Link | undefined => links.get(ledger.keyOf(key))
  const passed = new Set<string>()
  const items = sorted.right.items.filter((item) => {
    if (moved.has(identity(item.key))) return false
    const link = linkOf(item.key)
    // One that could not be read there is told by its place, which is let go of.
    const isPassed = link !== undefined && isPassable(link, side, item) && isSettled(link) && linkOf(unreadableKey(side, item.remoteId)) === undefined
    if (!isPassed) return true
    passed.add(ledger.keyOf(item.key))
    return false
  })
  for (const [key, link] of links) {
    const { id, version } = rememberedOf(link, side)
    if (id === undefined || !same.has(id) || !isPassable(link, side, { remoteId: id, version: version ?? null }) || !isSettled(link)) continue
    same.delete(id)
    passed.add(key)
  }
  // One that shares its identity with another of this page is none to pass by.
  for (const { key } of items) passed.delete(ledger.keyOf(key))
  for (const key of passed) links.delete(key)

  // Several may share an identity, and what is gone under one id may have moved to another, on whatever page (T14, T33).
  const doubtful = items.filter(({ key, remoteId }) => hasSpellings(key) || (rememberedOf(linkOf(key), side).id ?? remoteId) !== remoteId)
  const over = new Set(gone.map(({ remoteId }) => remoteId))
  const shared = [...links.values()].filter((link) => over.has(rememberedOf(link, side).id ?? '') || (side === 'source' ? link.twinsA : link.twinsB) !== undefined)
  const beside = await findThere(side === 'source' ? context.a : context.b, [...doubtful, ...shared].map(({ key }) => key), context.signal)
  if (E.isLeft(beside)) return E.left({ ...beside.left, side })
  for (const { key } of shared) moved.add(identity(key))
  const shown = new Set(items.map(({ remoteId }) => remoteId))
  const all = [...items, ...beside.right.filter(({ remoteId }) => !shown.has(remoteId))]

  const other = otherOf(side)
  // What could not be read has no identity, and so no counterpart.
  const known = [...links.values()].filter((link) => link.key !== unreadableKey(side, rememberedOf(link, side).id ?? ''))
  const there = await counterpartsOf(other === 'source' ? context.a : context.b, other, [...all, ...known].map(({ key }) => key), links.values(), context.signal)
  if (E.isLeft(there)) return E.left({ ...there.left, side: other })

  const here: Sighting = { coverage: run.coverage[side], items: all, same, gone, bad: bad.map(({ remoteId, version, failure }) => ({ remoteId, version, why: failure.message })), unsureAfter: run.unsureAfter }
  const facing: Sighting = { coverage: 'listing', same: new Set(), gone: [], ...there.right, unsureAfter: run.unsureAfter }
  const entries = side === 'source' ? gather(ledger.keyOf, links, here, facing) : gather(ledger.keyOf, links, facing, here)
  const unread = new Set(there.right.bad.map(({ remoteId }) => remoteId))
  const shownThere = new Set(there.right.items.map(({ key }) => identity(key)))
  for (const link of links.values()) if (unread.has(rememberedOf(link, other).id ?? '')) shownThere.add(identity(link.key))
  const elsewhere = new Set(entries.filter((entry) => {
    const own = side === 'source' ? entry.a : entry.b
    return own.is === 'bad' && own.twins !== undefined && !shown.has(own.remoteId)
  }))
  return E.right({ entries, elsewhere, shownThere, read: sorted.right.items.length + gone.length + bad.length, passedBy: passed.size, waits: unsureIn(links, here, side) || unsureIn(links, { ...facing, coverage: run.coverage[other] }, other) })
}
