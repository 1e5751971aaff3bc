/**
 * Knows how a plan is carried out: chunk by chunk, each chunk written, then remembered in one fenced commit; conflicts are
 * asked of the resolver, moved items are decided again, hopeless ones are parked (SYNC.md §A.5 steps 7 and 8).
 */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { Planned } from './flow-end.ts'
import { classify, rememberedOf } from './classify.ts'
import { moveOf } from './decide.ts'
import type { Entry } from './gather.ts'
import { isUnsure } from './sighting.ts'
import type { FlowLedger } from './flow-ledger.ts'
import { maxPagesPerCommit } from './kv-ledger.ts'
import { fetchAll } from './look.ts'
import { tooManyBad } from './park.ts'
import type { Policy } from './plan.ts'
import { inSpan, notShownYet, unsureAfter, type FlowContext } from './run-context.ts'
import { settleChunk } from './settle-chunk.ts'
import type { Store } from './store-together.ts'
import { moved } from './checkpoint-moved.ts'
import { contentOf } from './targets.ts'

export type Carried = { readonly checkpoint: Checkpoint; readonly warnings: ReadonlyArray<string>; readonly unsettled?: SyncFailure }

export type After = { readonly before: Checkpoint | null; readonly next: (settled: boolean) => Checkpoint }

export const carryOut = async (context: FlowContext, ledger: FlowLedger, planned: ReadonlyArray<Planned>, policy: Policy, { before, next }: After): Promise<E.Either<SyncFailure, Carried>> => {
  const acting = planned.filter(({ move }) => move.do !== 'nothing')
  context.counts.unchanged += planned.length - acting.length
  ledger.expect(planned.length)
  const warnings: Array<string> = []
  const readied = await readMissing(context, acting, policy, warnings)
  if (E.isLeft(readied)) return readied

  let unsettled: SyncFailure | undefined
  let checkpoint = next(false)
  const { commitWith } = ledger
  const store: Store | undefined = commitWith === undefined ? undefined : async (...ask) => {
    const stored = await commitWith(...ask, next(false))
    return E.isLeft(stored) ? stored : E.right(stored.right[0])
  }
  const chunks = chunksOf(ledger, readied.right.filter(({ move }) => move.do !== 'nothing'))
  for (const [i, chunk] of chunks.entries()) {
    if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
    context.step('writing')
    const settled = await settleChunk(context, chunk, policy, store)
    if (E.isLeft(settled)) return settled
    unsettled ??= settled.right.unsettled
    warnings.push(...settled.right.warnings)
    const tooMany = tooManyBad(context.counts.parked, context.counts.read, context.flow.guards ?? {}, context.spread?.tooFar())
    unsettled ??= tooMany
    context.step('committing')
    const last = i === chunks.length - 1
    const waits = unsettled !== undefined || warnings.length > 0
    const { puts, drops } = settled.right
    // All of it stands beside the rows already: the cursors go with the last.
    if (store !== undefined && !last && tooMany === undefined && puts.length + drops.length === 0) continue
    const saved = await inSpan(context, 'sync.commit', () => ledger.commit(puts, drops, next(last && !waits)))
    if (E.isLeft(saved)) return saved
    checkpoint = saved.right
    if (tooMany !== undefined) return E.left(tooMany)
  }
  // A run that changes nothing, cursors included, writes no state (SYNC.md §A.1.3).
  const settledAll = warnings.length === 0
  if (chunks.length === 0 && before !== null && !moved(before, next(settledAll))) return E.right({ checkpoint: before, warnings })
  if (chunks.length === 0) {
    const saved = await inSpan(context, 'sync.commit', () => ledger.commit([], [], next(settledAll)))
    if (E.isLeft(saved)) return saved
    checkpoint = saved.right
  }
  return E.right({ checkpoint, warnings, ...(unsettled === undefined ? {} : { unsettled }) })
}

/** Creates and updates first, deletes last; inside that by ledger page, so that a chunk touches few pages (SYNC.md §A.1.5). */
const chunksOf = (ledger: FlowLedger, acting: ReadonlyArray<Planned>): ReadonlyArray<ReadonlyArray<Planned>> => {
  const placed = acting.map((planned) => ({ planned, late: planned.move.do === 'delete' ? 1 : 0, page: ledger.pageOf(planned.entry.linkKey) }))
  placed.sort((x, y) => x.late - y.late || x.page - y.page)
  const most = ledger.isBeside ? rowsPerChunk : itemsPerChunk
  const chunks: Array<Array<Planned>> = []
  let current: Array<Planned> = []
  let pages = new Set<number>()
  for (const { planned, page } of placed) {
    const full = current.length >= most || (pages.size >= maxPagesPerCommit / 2 && !pages.has(page))
    if (full) {
      chunks.push(current)
      current = []
      pages = new Set()
    }
    current.push(planned)
    pages.add(page)
  }
  if (current.length > 0) chunks.push(current)
  return chunks
}

/** SYNC.md §A.1.5: 200 items for small deltas. */
const itemsPerChunk = 200
/** Beside the rows a chunk is one transaction, which costs the same for few rows as for many (SYNC.md §A.1.4, ADR 0016). */
const rowsPerChunk = 2_000

/**
 * A copy needs the content of the side it comes from; what a listing said is unchanged was not read yet. A write needs the
 * version it replaces, which a write of ours may not have told. What turns out to be gone or unreadable by now is decided again.
 */
const readMissing = async (context: FlowContext, acting: ReadonlyArray<Planned>, policy: Policy, warnings: Array<string>): Promise<E.Either<SyncFailure, ReadonlyArray<Planned>>> => {
  let current: ReadonlyArray<Planned> = acting
  for (const name of ['source', 'destination'] as const) {
    const side = name === 'source' ? context.a : context.b
    const from = (entry: Entry) => (name === 'source' ? entry.a : entry.b)
    const needs = ({ entry, move }: Planned): boolean => {
      if ((move.do !== 'create' && move.do !== 'update' && move.do !== 'delete') || contentOf(from(entry)) !== undefined) return false
      if (move.on !== name) return move.do !== 'delete'
      // Null = unknown: without a look the write would carry no precondition (SYNC.md §A.2).
      return side.capabilities.precondition !== 'none' && rememberedOf(entry.link, name).version === null
    }
    const ids = current.filter(needs).flatMap(({ entry }) => {
      const seen = from(entry)
      return seen.is === 'unchanged' ? [seen.remoteId] : []
    })
    if (ids.length === 0) continue
    const fetched = await fetchAll(side, ids, context.signal)
    if (E.isLeft(fetched)) return fetched
    const items = new Map(fetched.right.items.map((item) => [item.remoteId, item]))
    const bad = new Map(fetched.right.bad.map((change) => [change.remoteId, change.failure.message]))
    const again: Array<Planned> = []
    for (const p of current) {
      const seen = from(p.entry)
      if (!needs(p) || seen.is !== 'unchanged') {
        again.push(p)
        continue
      }
      const found = items.get(seen.remoteId)
      const item = found?.key.normalize('NFC') === p.entry.key.normalize('NFC') ? found : undefined
      const why = bad.get(seen.remoteId)
      if (item === undefined && why === undefined && isUnsure(p.entry.link, name, unsureAfter(context))) {
        warnings.push(notShownYet(p.entry.key, name))
        continue
      }
      const read = classify(p.entry.link, name, item !== undefined ? { is: 'item', item } : why !== undefined ? { is: 'bad', remoteId: seen.remoteId, why } : { is: 'gone', by: 'tombstone' })
      const entry = name === 'source' ? { ...p.entry, a: read } : { ...p.entry, b: read }
      // As expected: the move stands, whoever overruled the table.
      const move = read.is === 'unchanged' ? p.move : moveOf(context, entry, policy)
      if (move === 'refused') return E.left({ is: 'unavailable', message: `"${p.entry.key}" changed while it was read`, item: p.entry.key })
      again.push({ entry, move })
    }
    current = again
  }
  return E.right(current)
}
