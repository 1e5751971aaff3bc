/**
 * Knows the story of a one-way flow into a destination that keeps its own ledger: page by page, each page's rows, links and
 * cursor in one transaction; memory is bound by a page (DESIGN §6). Deletes wait for the whole source and their guard.
 */
import type { ChangePage, Reader, TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { cfgHashOf } from './cfg-hash.ts'
import { viewOf, type FlowEnd } from './flow-end.ts'
import { sweep } from './streamed-deletes.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { checkpointOf, type Stream } from './stream.ts'
import { settlePage } from './streamed-page.ts'

export const streamPageSize = 2_000

export const runStreamed = async (context: FlowContext, ledger: TransactionalLedger): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const dry = context.item.dryRun === true
  const claimed = await (dry ? ledger.peek(context.signal) : ledger.claim(context.hold.fence, context.signal))()
  if (E.isLeft(claimed)) return claimed
  const before = claimed.right
  context.step('reading')
  const opened = await openReader(context, before)
  if (E.isLeft(opened)) return opened
  const { reader, phase, gen, cursor } = opened.right
  const stream: Stream = {
    context, ledger, phase, gen, cursor,
    deletesAllowed: phase !== 'first' && before !== null && before.cfgHash === cfgHashOf(context.flow),
    frozen: false, links: before?.links ?? 0, parked: before?.parked ?? 0, seen: 0, gone: [], warnings: [], told: [], toldTotal: 0, unsettled: undefined,
  }
  const end = (more: Partial<FlowEnd> = {}): FlowEnd => ({
    phase, cursorBefore: before?.cursorA ?? null, cursorAfter: stream.cursor, links: stream.links, parkedNow: stream.parked, warnings: stream.warnings,
    ...(stream.unsettled === undefined ? {} : { unsettled: stream.unsettled }), ...more,
  })
  try {
    const last = await readPages(stream, reader)
    if (E.isLeft(last)) return last
    const swept = await sweep(stream, reader.coverage)
    if (E.isLeft(swept)) return swept
    if (dry) return E.right(end(dryEnd(stream, swept.right)))
    if (swept.right !== undefined) return E.right(end(swept.right))
    if ( stream.unsettled !== undefined || stream.warnings.length > 0) return E.right(end())
    const settledCursor = last.right.resume
    // Nothing new at all: a quiet run writes no state.
    if (before !== null && before.phase === 'delta' && phase === 'delta' && settledCursor === before.cursorA && stream.seen === 0) return E.right(end())
    stream.frozen = false
    stream.cursor = settledCursor
    const saved = await commitNothing(stream, checkpointOf(stream, 'delta'))
    if (E.isLeft(saved)) return saved
    return E.right(end())
  } finally {
    await reader.close()
  }
}

const dryEnd = (stream: Stream, swept: Partial<FlowEnd> | undefined): Partial<FlowEnd> => {
  const view = viewOf(stream.told)
  const deletes = swept?.plan?.total ?? 0
  return { ...swept, plan: { hash: swept?.plan?.hash ?? view.hash, moves: view.moves, total: stream.toldTotal + deletes } }
}

type Opened = { readonly reader: Reader; readonly phase: Phase; readonly gen: number; readonly cursor: string | null }

const openReader = async (context: FlowContext, before: Checkpoint | null): Promise<E.Either<SyncFailure, Opened>> => {
  const { a, flow, item, signal } = context
  const limit = Math.max(flow.batchSize ?? 0, streamPageSize)
  const changed = before !== null && before.cfgHash !== cfgHashOf(flow)
  const startsOver = before === null || changed || item.mode === 'full'
  // A listing that an earlier run did not finish is read on from where it was committed.
  const resuming = !startsOver && before.phase !== 'delta' && before.cursorA !== null && a.capabilities.resumableListing
  const phase: Phase = before === null || (before.phase === 'first' && !changed) ? 'first' : startsOver || before.phase !== 'delta' ? 'resync' : 'delta'
  const cursor = phase === 'delta' || resuming ? (before?.cursorA ?? null) : null
  const gen = phase === 'delta' || resuming ? (before?.gen ?? 0) : (before?.gen ?? 0) + 1
  const opened = await a.read({ cursor, limit, resuming, signal })()
  if (E.isRight(opened)) return E.right({ reader: opened.right, phase, gen, cursor })
  if (opened.left.is !== 'cursor-lost' || cursor === null) return E.left({ ...opened.left, side: 'source' })
  const again = await a.read({ cursor: null, limit, resuming: false, signal })()
  if (E.isLeft(again)) return E.left({ ...again.left, side: 'source' })
  return E.right({ reader: again.right, phase: phase === 'first' ? 'first' : 'resync', gen: (before?.gen ?? 0) + 1, cursor: null })
}

/** The next page is read while this one is written: the source and the destination work at the same time. */
const readPages = async (stream: Stream, reader: Reader): Promise<E.Either<SyncFailure, ChangePage>> => {
  const { context } = stream
  const read = (): Promise<E.Either<SyncFailure, ChangePage>> => inSpan(context, 'sync.read', () => reader.next())
  let ahead = read()
  for (;;) {
    const page = await ahead
    if (E.isLeft(page)) return E.left({ ...page.left, side: 'source' })
    const { last } = page.right
    if (!last) ahead = read()
    const stopped = context.signal.aborted || !context.hold.isTrusted()
    const settled = stopped ? E.left(context.whyStopped()) : await settlePage(stream, page.right, reader.coverage)
    if (E.isLeft(settled)) {
      // The reader must not be closed while it reads.
      if (!last) await ahead
      return settled
    }
    if (last) return page
  }
}

const commitNothing = (stream: Stream, checkpoint: Checkpoint) =>
  inSpan(stream.context, 'sync.commit', () =>
    stream.ledger.commit({ fence: stream.context.hold.fence, writes: [], settle: () => ({ puts: [], drops: [], checkpoint }) }, stream.context.signal)(),
  )
