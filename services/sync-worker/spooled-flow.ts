/**
 * Knows the story of one flow that is planned whole before its first write: every two-way flow, and one-way flows into
 * sides that keep no ledger of their own (SYNC.md §A.5). Streamed flows: streamed-flow.ts.
 */
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import { defaultBatchSize } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { cfgHashOf } from './cfg-hash.ts'
import { carryOut } from './carry-out.ts'
import { viewOf, type FlowEnd, type Planned } from './flow-end.ts'
import { gather, type Entry } from './gather.ts'
import { guard } from './guard.ts'
import { openKvLedger, type KvLedger } from './kv-ledger.ts'
import { look, type Look } from './look.ts'
import { plan, type Policy } from './plan.ts'
import { totalsOf } from './plan-totals.ts'
import type { Stored } from './ports.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { loadLinks, newsIn, sightingOf } from './sight.ts'
import { stillTheSame } from './aside.ts'
import { driftMark } from './targets.ts'

export const runSpooled = async (context: FlowContext): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const begun = await begin(context)
  if (E.isLeft(begun)) return begun
  const { stored, phase, ledger } = begun.right
  const before = stored?.value ?? null

  context.step('reading')
  const looks = await inSpan(context, 'sync.read', () => lookBoth(context, phase === 'delta' ? before : null))
  if (E.isLeft(looks)) return looks
  const [lookA, lookB] = looks.right
  const next = (settled: boolean): Checkpoint => ({
    fence: context.hold.fence,
    run: context.item.run,
    phase: settled ? 'delta' : phase,
    gen: before?.gen ?? 0,
    cursorA: settled ? lookA.cursor : phase === 'delta' ? (before?.cursorA ?? null) : null,
    cursorB: settled ? lookB.cursor : phase === 'delta' ? (before?.cursorB ?? null) : null,
    cfgHash: cfgHashOf(context.flow),
    pages: before?.pages ?? 0,
    links: before?.links ?? 0,
    parked: before?.parked ?? 0,
  })
  const cursors = { cursorBefore: before?.cursorA ?? null, cursorAfter: lookA.cursor }
  const realPhase: Phase = phase === 'delta' && (lookA.resynced || lookB.resynced) ? 'resync' : phase

  if (before !== null && silent(lookA) && silent(lookB) && context.item.mode !== 'full') {
    if (context.item.dryRun !== true && cursorsMoved(before, next(true))) {
      const saved = await inSpan(context, 'sync.commit', () => ledger.commit([], [], next(true)))
      if (E.isLeft(saved)) return saved
    }
    return E.right({ phase: realPhase, ...cursors, links: before.links, parkedNow: before.parked, warnings: [] })
  }

  const entries = await inSpan(context, 'sync.plan', () => compare(context, ledger, lookA, lookB))
  if (E.isLeft(entries)) return entries

  context.step('planning')
  const policy = policyOf(context, before, phase)
  const planned = planAll(context, entries.right, policy)
  const view = viewOf(planned)
  const verdict = guard(totalsOf(planned, ledger.links, lookA, lookB, before === null), context.flow.guards ?? {})
  const told = { phase: realPhase, cursorBefore: cursors.cursorBefore, cursorAfter: cursors.cursorBefore, links: before?.links ?? 0, parkedNow: before?.parked ?? 0, warnings: [], plan: view }
  if (verdict.is === 'held' && context.item.approved !== view.hash) return E.right({ ...told, held: { by: verdict.by, message: verdict.message } })
  if (context.item.dryRun === true) return E.right(told)

  const carried = await carryOut(context, ledger, planned, policy, next)
  if (E.isLeft(carried)) return carried
  const { checkpoint, unsettled, warnings } = carried.right
  return E.right({
    phase: realPhase,
    cursorBefore: cursors.cursorBefore,
    cursorAfter: checkpoint.cursorA,
    links: checkpoint.links,
    parkedNow: checkpoint.parked,
    warnings,
    ...(unsettled === undefined ? {} : { unsettled }),
  })
}

type Begun = { readonly stored: Stored<Checkpoint> | null; readonly phase: Phase; readonly ledger: KvLedger }

const begin = async ({ ports, connection, flow, hold, item }: FlowContext): Promise<E.Either<SyncFailure, Begun>> => {
  const read = await ports.state.readCheckpoint(connection.id, flow.id)()
  if (E.isLeft(read)) return E.left({ is: 'unavailable', message: `checkpoint of ${connection.id}/${flow.id} cannot be read: ${read.left.is}`, code: 'state-store' })
  const stored = read.right
  if (stored !== null && stored.value.fence >= hold.fence) {
    return E.left({
      is: 'fence-regress',
      message: `the lease of ${connection.id} has revision ${hold.fence}, but revision ${stored.value.fence} was used before: the store of leases went back in time`,
      mend: 'see docs/operating.md, "Fence regress": recreate KV_sync_state with a first sequence above every fence',
    })
  }
  const phase: Phase =
    stored === null || stored.value.phase === 'first' ? 'first'
    : stored.value.cfgHash !== cfgHashOf(flow) || item.mode === 'full' || stored.value.phase === 'resync' ? 'resync'
    : 'delta'
  const ledger = openKvLedger(ports.state, hold, connection.id, flow.id, { checkpoint: stored?.value ?? null, revision: stored?.revision ?? 0 })
  return E.right({ stored, phase, ledger })
}

const lookBoth = async (context: FlowContext, from: Checkpoint | null): Promise<E.Either<SyncFailure, readonly [Look, Look]>> => {
  const limit = context.flow.batchSize ?? defaultBatchSize
  const [a, b] = await Promise.all([
    look(context.a, from?.cursorA ?? null, limit, context.signal),
    look(context.b, from?.cursorB ?? null, limit, context.signal),
  ])
  if (E.isLeft(a)) return E.left({ ...a.left, side: 'source' })
  if (E.isLeft(b)) return E.left({ ...b.left, side: 'destination' })
  return E.right([a.right, b.right])
}

const silent = (l: Look): boolean => l.coverage === 'delta' && l.changes.length === 0
const cursorsMoved = (a: Checkpoint, b: Checkpoint): boolean => a.cursorA !== b.cursorA || a.cursorB !== b.cursorB || a.phase !== b.phase

const compare = async (context: FlowContext, ledger: KvLedger, lookA: Look, lookB: Look): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const loaded = await loadLinks(context, ledger, [lookA, lookB])
  if (E.isLeft(loaded)) return loaded
  const a = await sightingOf(context.a, 'source', lookA, ledger.links, context.signal)
  if (E.isLeft(a)) return a
  const b = await sightingOf(context.b, 'destination', lookB, ledger.links, context.signal)
  if (E.isLeft(b)) return b
  context.counts.read += newsIn(a.right) + newsIn(b.right)
  return E.right(gather(context.connection.id, context.flow.id, ledger.links, a.right, b.right))
}

const policyOf = ({ flow }: FlowContext, before: Checkpoint | null, phase: Phase): Policy => ({
  direction: flow.direction,
  drift: flow.drift ?? 'ignore',
  deletes: flow.deletes ?? 'follow',
  // A changed configuration may make items look gone that merely left its scope: create and update, never delete.
  deletesAllowed: phase !== 'first' && before?.cfgHash === cfgHashOf(flow),
})

const planAll = (context: FlowContext, entries: ReadonlyArray<Entry>, policy: Policy): ReadonlyArray<Planned> =>
  entries.map((entry) => {
    // Set aside and still showing what it showed then: only `--full` tries it again.
    if (context.item.mode !== 'full' && stillTheSame(entry)) return { entry, move: { do: 'nothing' } }
    const move = plan(entry.a, entry.b, policy)
    const drifted = move.do === 'report-drift' && entry.link?.seenB === driftMark(entry)
    return { entry, move: drifted ? { do: 'nothing' } : move }
  })
