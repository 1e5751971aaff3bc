/**
 * Knows how both sides' looks are compared with what is remembered, and that only what is news is fetched. Ends with what
 * each side showed (`Sighting`). What has to be read a second time: second-look.ts. Does not plan.
 */
import type { Change, Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { rememberedOf, type SideName } from './classify.ts'
import { unreadableKey, type Links, type Sighting } from './sighting.ts'
import type { FlowLedger } from './flow-ledger.ts'
import { fetchAll, type Look } from './look.ts'
import { unsureAfter, type FlowContext } from './run-context.ts'
import { absentOf, mentionedIn, secondLook } from './second-look.ts'

/** Reads from the ledger what these looks need: the pages of what they mention, or everything. `hasAside`: some links stand for places. */
export const loadLinks = async (context: FlowContext, ledger: FlowLedger, lookA: Look, lookB: Look, hasAside: boolean): Promise<E.Either<SyncFailure, void>> => {
  const { keyOf } = ledger
  const { canary } = context.flow.guards ?? {}
  const keys: Array<string> = canary === undefined ? [] : [keyOf(canary)]
  for (const [side, { coverage, changes }] of [['source', lookA], ['destination', lookB]] as const) {
    if (coverage === 'listing') return ledger.load('all')
    for (const change of changes) {
      if (change.is === 'item') keys.push(keyOf(change.item.key), ...(hasAside ? [keyOf(unreadableKey(side, change.item.remoteId))] : []))
      else if (change.is === 'gone' && change.key !== undefined) keys.push(keyOf(change.key), ...(hasAside ? [keyOf(unreadableKey(side, change.remoteId))] : []))
      else return ledger.load('all')
    }
  }
  const loaded = await ledger.load(keys)
  if (E.isLeft(loaded)) return loaded
  // An id that is not known under its identity may be known under another one (T13): that link can be on any page.
  // Where the id is the identity, as in a table of rows, it cannot.
  const isExplained = (change: Change, side: SideName): boolean => {
    if (change.is !== 'item' && change.is !== 'gone') return false
    const [id, key] = change.is === 'item' ? [change.item.remoteId, change.item.key] : [change.remoteId, change.key ?? '']
    if (id === key) return true
    // What was set aside met the id where another one has it, perhaps.
    const link = ledger.links.get(keyOf(key))
    return link !== undefined && !isUnsettled(link) && rememberedOf(link, side).id === id
  }
  const foreign = lookA.changes.flatMap((change) => (isExplained(change, 'source') ? [] : [change.is === 'item' ? change.item.remoteId : change.remoteId]))
  const explained = lookB.changes.every((change) => isExplained(change, 'destination'))
  if (explained && foreign.length === 0) return E.right(undefined)
  // What is set aside may hold more ids than one.
  return explained && !hasAside && ledger.loadBySource !== undefined ? ledger.loadBySource(foreign) : ledger.load('all')
}

export type SightAsk = { readonly context: FlowContext; readonly links: Links; readonly scopeChanged: boolean }

export const sightBoth = async (ask: SightAsk, lookA: Look, lookB: Look): Promise<E.Either<SyncFailure, readonly [Sighting, Sighting]>> => {
  const { context } = ask
  const a = await sightingOf(ask, context.a, 'source', lookA)
  if (E.isLeft(a)) return a
  const b = await sightingOf(ask, context.b, 'destination', lookB)
  if (E.isLeft(b)) return b
  const mentioned = new Set([...mentionedIn(ask, 'source', a.right), ...mentionedIn(ask, 'destination', b.right)])
  const wholeA = await secondLook(ask, context.a, 'source', a.right, mentioned)
  if (E.isLeft(wholeA)) return wholeA
  const wholeB = await secondLook(ask, context.b, 'destination', b.right, mentioned)
  return E.isLeft(wholeB) ? wholeB : E.right([wholeA.right, wholeB.right])
}

const sightingOf = async ({ context, links, scopeChanged }: SightAsk, side: Side, name: SideName, look: Look): Promise<E.Either<SyncFailure, Sighting>> => {
  const items: Array<Item> = []
  const same = new Set<string>()
  const gone: Array<{ remoteId: string }> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const news: Array<string> = []
  const versions = new Map<string, string | null>()
  for (const link of links.values()) {
    const known = rememberedOf(link, name)
    // What is parked or held is always read: whether it is still the same trouble is in its content, not in its version.
    if (known.id !== undefined && !isUnsettled(link)) versions.set(known.id, known.version ?? null)
  }
  for (const change of look.changes) {
    if (change.is === 'item') items.push(change.item)
    else if (change.is === 'gone') gone.push({ remoteId: change.remoteId })
    else if (change.is === 'bad') bad.push(change)
    // The version says "look"; a side that gives none must be read (SYNC.md §A.2).
    else if (change.version !== null && versions.get(change.remoteId) === change.version) same.add(change.remoteId)
    else news.push(change.remoteId)
  }
  const listed: Sighting = { coverage: look.coverage, items, same, gone, bad: bad.map(badOf), unsureAfter: unsureAfter(context) }
  const missing = look.coverage === 'listing' && !scopeChanged ? absentOf(links, name, listed, news) : []
  const fetched = await fetchAll(side, [...new Set([...news, ...missing])], context.signal)
  if (E.isLeft(fetched)) return fetched
  return E.right({ ...listed, items: [...items, ...fetched.right.items], bad: [...listed.bad, ...fetched.right.bad.map(badOf)] })
}

const badOf = ({ remoteId, version, failure }: Extract<Change, { is: 'bad' }>): Sighting['bad'][number] => ({ remoteId, version, why: failure.message })

/** What the look and the fetches brought beyond "as before". */
export const newsIn = (sighting: Sighting): number => sighting.items.length + sighting.gone.length + sighting.bad.length
