/**
 * Knows the story of a one-way flow into a destination that keeps its own ledger: page by page, each page's rows, links and
 * cursor in one transaction; memory is bound by a page (DESIGN §6). Deletes wait for the whole source and their guard.
 */
import type { Reader, TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { cfgHashOf } from './cfg-hash.ts'
import { accountOf } from './begin-flow.ts'
import { viewOf, type FlowEnd } from './flow-end.ts'
import { sweep } from './streamed-deletes.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { checkpointOf, type Stream } from './stream.ts'
import { mayLoad } from './streamed-load.ts'
import { readPages } from './streamed-pages.ts'

/** Two thousand were no faster, and took 20 MB more (bench/postgres-to-postgres.bench.ts). */
const streamPageSize = 1_000
/** Rows that cross as they are: four round trips a page, and nothing of a row is kept in memory but its text. */
const loadPageSize = 10_000

export const runStreamed = async (context: FlowContext, ledger: TransactionalLedger): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const dry = context.item.dryRun === true
  const claimed = await (dry ? ledger.peek(context.signal) : ledger.claim(context.hold.fence, context.signal))()
  if (E.isLeft(claimed)) return claimed
  const before = claimed.right
  const stopped = await mayBegin(context, ledger, before)
  if (E.isLeft(stopped)) return stopped
  if (stopped.right !== undefined) return E.right(stopped.right)
  context.step('reading')
  const opened = await openReader(context, before)
  if (E.isLeft(opened)) return opened
  const { reader, phase, gen, cursor, resuming, scopeChanged } = opened.right
  const stream: Stream = {
    context, ledger, gen, resuming, scopeChanged,
    // A listing can be gone on with only from a page of its own.
    cursor: reader.coverage === 'listing' && !resuming ? null : cursor,
    // A listing that a delta turned into is a resync as long as it goes on, so that a later run can finish it.
    phase: reader.coverage === 'listing' && phase === 'delta' ? 'resync' : phase,
    frozen: false, links: before?.links ?? 0, parked: before?.parked ?? 0, seen: 0, loading: { refused: 0, spared: 0 }, gone: new Map(), touched: new Set(), warnings: [], notes: [], told: [], toldTotal: 0, toldSeen: new Set(),
    unsettled: undefined, relists: false, heldPlan: before?.heldPlan,
  }
  const end = (more: Partial<FlowEnd> = {}): FlowEnd => ({
    phase, cursorBefore: before?.cursorA ?? null, cursorAfter: stream.cursor, links: stream.links, parkedNow: stream.parked, warnings: [...stream.warnings, ...stream.notes],
    ...(stream.unsettled === undefined ? {} : { unsettled: stream.unsettled }), ...more,
  })
  try {
    const last = await readPages(stream, reader)
    if (E.isLeft(last)) return last
    const swept = await sweep(stream, reader.coverage, before)
    if (E.isLeft(swept)) return swept
    if (dry) return E.right(end(dryEnd(stream, swept.right)))
    if (swept.right !== undefined) {
      const marked = await markHeld(stream, swept.right, before)
      return E.isLeft(marked) ? marked : E.right(end(swept.right))
    }
    if (stream.unsettled !== undefined || stream.warnings.length > 0) {
      // Where the listing must begin again, the checkpoint has to say so.
      const saved = stream.cursor === null && resuming ? await commitNothing(stream, checkpointOf(stream, stream.phase)) : E.right([])
      return E.isLeft(saved) ? saved : E.right(end())
    }
    const settledCursor = last.right.resume
    // Nothing new at all: a quiet run writes no state.
    if (before !== null && before.phase === 'delta' && phase === 'delta' && settledCursor === before.cursorA && stream.seen === 0) return E.right(end())
    stream.frozen = false
    stream.cursor = stream.relists ? null : settledCursor
    stream.heldPlan = undefined
    const saved = await commitNothing(stream, checkpointOf(stream, stream.relists ? 'resync' : 'delta'))
    if (E.isLeft(saved)) return saved
    return E.right(end())
  } finally {
    await reader.close()
  }
}

const dryEnd = (stream: Stream, swept: Partial<FlowEnd> | undefined): Partial<FlowEnd> => {
  const view = viewOf(stream.told)
  const deletes = swept?.plan?.total ?? 0
  // What a guard would hold is approved by the hash of the deletes; the rest needs no approval.
  return { ...swept, plan: { hash: swept?.plan?.hash ?? view.hash, moves: [...view.moves, ...(swept?.plan?.moves ?? [])], total: stream.toldTotal + deletes } }
}

/** Another account, or a canary that is missing: nothing is read, let alone written. Answers how the flow ends then. */
const mayBegin = async (context: FlowContext, ledger: TransactionalLedger, before: Checkpoint | null): Promise<E.Either<SyncFailure, FlowEnd | undefined>> => {
  const { a, b, flow, item, hold, signal } = context
  const still = { phase: before?.phase ?? 'first', cursorBefore: before?.cursorA ?? null, cursorAfter: before?.cursorA ?? null, links: before?.links ?? 0, parkedNow: before?.parked ?? 0, warnings: [] } as const
  // The ledger stands in the destination itself: only the source can have become another account.
  const account = accountOf(context, before === null ? null : withoutSideB(before))
  if (account.is === 'held') {
    const { by, message, plan } = account
    const marked = item.dryRun === true || before === null ? E.right([])
      : await ledger.commit({ fence: hold.fence, writes: [], settle: () => ({ puts: [], drops: [], checkpoint: { ...before, fence: hold.fence, heldPlan: plan } }) }, signal)()
    return E.isLeft(marked) ? marked : E.right({ ...still, held: { by, message }, plan: { hash: plan, moves: [], total: 0 } })
  }
  const canary = flow.guards?.canary
  if (canary === undefined) return E.right(undefined)
  for (const [name, side] of [['source', a], ['destination', b]] as const) {
    if (!side.capabilities.find) continue
    const found = await side.find([canary], signal)()
    if (E.isLeft(found)) return E.left({ ...found.left, side: name })
    if (found.right.length === 0) return E.right({ ...still, held: { by: 'canary', message: `the ${name} does not show "${canary}", which must be on both sides` }, plan: { hash: '', moves: [], total: 0 } })
  }
  return E.right(undefined)
}

const withoutSideB = ({ sideB: _, principalB: _b, ...checkpoint }: Checkpoint): Checkpoint => checkpoint

const markHeld = async (stream: Stream, swept: Partial<FlowEnd>, before: Checkpoint | null): Promise<E.Either<SyncFailure, unknown>> => {
  if (swept.held === undefined || swept.plan === undefined) return E.right(undefined)
  // Listed anew next time: what a person put back meanwhile must be seen.
  stream.cursor = stream.phase === 'delta' ? (before?.cursorA ?? null) : null
  if (before?.heldPlan === swept.plan.hash && before.cursorA === stream.cursor && before.phase === stream.phase) return E.right(undefined)
  stream.heldPlan = swept.plan.hash
  return commitNothing(stream, checkpointOf(stream, stream.phase))
}

type Opened = { readonly reader: Reader; readonly phase: Phase; readonly gen: number; readonly cursor: string | null; readonly resuming: boolean; readonly scopeChanged: boolean }

const openReader = async (context: FlowContext, before: Checkpoint | null): Promise<E.Either<SyncFailure, Opened>> => {
  const { a, flow, item, signal } = context
  const limit = Math.max(flow.batchSize ?? 0, streamPageSize)
  const other = before !== null && accountOf(context, withoutSideB(before)).is === 'other'
  const changed = other || (before !== null && before.cfgHash !== cfgHashOf(flow))
  const scopeChanged = changed || before?.withoutDeletes === true
  const startsOver = before === null || changed || item.mode === 'full'
  // A listing that an earlier run did not finish is read on from where it was committed.
  const resuming = !startsOver && before.phase !== 'delta' && before.cursorA !== null && a.capabilities.resumableListing
  const phase: Phase = before === null || (before.phase === 'first' && !changed) ? 'first' : startsOver || before.phase !== 'delta' ? 'resync' : 'delta'
  const cursor = phase === 'delta' || resuming ? (before?.cursorA ?? null) : null
  const opened = await a.read({ cursor, limit, resuming, signal, ...(mayLoad(context, phase) ? { asRows: loadPageSize } : {}) })()
  if (E.isRight(opened)) {
    const reader = opened.right
    // Every complete listing is a generation of its own, also that of a side which knows no deltas.
    const gen = (before?.gen ?? 0) + (reader.coverage === 'delta' || resuming ? 0 : 1)
    return E.right({ reader, phase, gen, cursor, resuming, scopeChanged })
  }
  if (opened.left.is !== 'cursor-lost' || cursor === null) return E.left({ ...opened.left, side: 'source' })
  const again = await a.read({ cursor: null, limit, resuming: false, signal })()
  if (E.isLeft(again)) return E.left({ ...again.left, side: 'source' })
  return E.right({ reader: again.right, phase: phase === 'first' ? 'first' : 'resync', gen: (before?.gen ?? 0) + 1, cursor: null, resuming: false, scopeChanged })
}

const commitNothing = (stream: Stream, checkpoint: Checkpoint) =>
  inSpan(stream.context, 'sync.commit', () =>
    stream.ledger.commit({ fence: stream.context.hold.fence, writes: [], settle: () => ({ puts: [], drops: [], checkpoint }) }, stream.context.signal)(),
  )
