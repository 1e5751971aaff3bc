/**
 * Knows how both sides are read, compared with what is remembered, and only what is news is fetched. Ends with what each
 * side showed (`Sighting`). Does not plan.
 */
import type { Change, Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { linkKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { rememberedOf, type SideName } from './classify.ts'
import type { Sighting } from './gather.ts'
import type { KvLedger } from './kv-ledger.ts'
import { fetchAll, type Look } from './look.ts'
import type { FlowContext } from './run-context.ts'

/** Reads from the ledger what these looks need: everything when a listing or a nameless deletion is among them. */
export const loadLinks = (context: FlowContext, ledger: KvLedger, looks: ReadonlyArray<Look>): Promise<E.Either<SyncFailure, void>> => {
  const keys: Array<string> = []
  for (const { coverage, changes } of looks) {
    if (coverage === 'listing') return ledger.load('all')
    for (const change of changes) {
      if (change.is === 'item') keys.push(linkKey(context.connection.id, context.flow.id, change.item.key))
      else if (change.is === 'gone' && change.key !== undefined) keys.push(linkKey(context.connection.id, context.flow.id, change.key))
      else return ledger.load('all')
    }
  }
  // An item whose identity was changed in place is known under its old key only: that too needs the whole ledger, but
  // sides that report changes by key (rows) cannot show it, and listings load everything anyway.
  return ledger.load(keys)
}

export const sightingOf = async (side: Side, name: SideName, look: Look, links: ReadonlyMap<string, Link>, signal: AbortSignal): Promise<E.Either<SyncFailure, Sighting>> => {
  const items: Array<Item> = []
  const same = new Set<string>()
  const gone: Array<{ remoteId: string; key?: string }> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const news: Array<string> = []
  const versions = new Map<string, string | null>()
  for (const link of links.values()) {
    const known = rememberedOf(link, name)
    if (known.id !== undefined && link.st !== 'tomb') versions.set(known.id, known.version ?? null)
  }
  for (const change of look.changes) {
    if (change.is === 'item') items.push(change.item)
    else if (change.is === 'gone') gone.push(change)
    else if (change.is === 'bad') bad.push(change)
    // The version says "look"; a side that gives none must be read (SYNC.md §A.2).
    else if (change.version !== null && versions.get(change.remoteId) === change.version) same.add(change.remoteId)
    else news.push(change.remoteId)
  }
  const fetched = await fetchAll(side, news, signal)
  if (E.isLeft(fetched)) return fetched
  items.push(...fetched.right.items)
  bad.push(...fetched.right.bad)
  return E.right({
    coverage: look.coverage,
    items,
    same,
    gone,
    bad: bad.map(({ remoteId, version, failure }) => ({ remoteId, version, why: failure.message })),
  })
}

/** What the look and the fetches brought beyond "as before". */
export const newsIn = (sighting: Sighting): number => sighting.items.length + sighting.gone.length + sighting.bad.length
