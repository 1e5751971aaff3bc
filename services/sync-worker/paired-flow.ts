/**
 * Knows the story of a two-way flow between two sides that find a row by its key, when there is more than is held at once:
 * page after page is compared, decided and remembered, and memory is bound by a page (SYNC.md §A.4). Where a guard may have
 * a say everything is counted first, and written in a second reading.
 */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { approvalOf, heldMessage } from './approval.ts'
import type { Begun } from './begin-flow.ts'
import { moved } from './checkpoint-moved.ts'
import { policyOf } from './decide.ts'
import type { FlowEnd } from './flow-end.ts'
import type { FlowLedger } from './flow-ledger.ts'
import { guard, type PlanTotals, type Verdict } from './guard.ts'
import type { Look } from './look.ts'
import { nothingCounted, viewOfCounted } from './paired-count.ts'
import { findThere } from './paired-find.ts'
import { goThrough } from './paired-passes.ts'
import { isListing, type PairedRun, type Passes } from './paired-run.ts'
import { heldText } from './person-hold.ts'
import { inSpan, unsureAfter, type FlowContext } from './run-context.ts'
import { nextOf } from './spooled-checkpoint.ts'

/** Changes of one side that a flow holds at once, where it could go through them page by page instead. */
export const pairedAbove = 20_000

/** Both sides find a row by its key, and the links stand where any of them is found as well. */
export const mayPair = ({ a, b, flow }: FlowContext, ledger: FlowLedger): boolean =>
  flow.direction === 'two-way' && flow.kind === 'row' && a.capabilities.find && b.capabilities.find && ledger.isBeside && b.ledger !== undefined

type Done<A> = Promise<E.Either<SyncFailure, A>>
type Phase = FlowEnd['phase']

export const runPaired = async (context: FlowContext, begun: Begun, realPhase: Phase, looks: readonly [Look, Look]): Done<FlowEnd> => {
  const { before, phase, scopeChanged } = begun
  const run = runOf(context, begun, looks)
  if (run === undefined) return E.left({ is: 'bug', message: 'a flow was paired without a ledger beside its rows' })
  const dry = context.item.dryRun === true
  const still = { phase: realPhase, cursorBefore: before?.cursorA ?? null, cursorAfter: before?.cursorA ?? null, links: before?.links ?? 0, parkedNow: before?.parked ?? 0, warnings: [] }
  const missing = await canaryMissing(context)
  if (E.isLeft(missing)) return missing

  let counted: Passes | undefined
  if (dry || phase !== 'first' || missing.right !== undefined || context.connection.hold !== undefined || !context.a.capabilities.canWrite || !context.b.capabilities.canWrite) {
    counted = passesOf(before, { isCounting: true })
    const through = await inSpan(context, 'sync.plan', () => goThrough(run, counted ?? passesOf(before, { isCounting: true })))
    if (E.isLeft(through)) return through
    const view = viewOfCounted(counted.counted)
    const verdict = await judge(run, counted, { phase, missing: missing.right })
    if (E.isLeft(verdict)) return verdict
    const told = { ...still, plan: view }
    if (verdict.right.is === 'held') {
      const approval = approvalOf(view.hash, { approved: context.item.approved, askedAt: context.item.askedAt, now: context.ports.clock.now(), before })
      if (approval.is !== 'given') {
        const mark = { ...run.between(), gen: before?.gen ?? 0, heldPlan: view.hash, ...(context.item.mode === 'full' ? { heldFull: true } : {}) }
        const marked = dry || before?.heldPlan === view.hash ? E.right(null) : await run.ledger.commit([], [], mark)
        return E.isLeft(marked) ? marked : E.right({ ...told, held: { by: verdict.right.by, message: heldMessage(verdict.right.message, approval) } })
      }
    }
    if (dry) return E.right(told)
  }

  const passes = passesOf(before, { isCounting: false, ...(counted === undefined ? {} : { allowed: counted.counted }) })
  const ends = await goThrough(run, passes)
  if (E.isLeft(ends)) return ends
  const { unsettled, warnings } = passes
  const settled = unsettled === undefined && warnings.length === 0
  const after: Checkpoint = { ...nextOf(context, { ...begun, scopeChanged }, ends.right.a, ends.right.b)(settled ? (passes.waits ? 'listed' : true) : false), gen: run.gen }
  const saved = passes.checkpoint !== null && !moved(passes.checkpoint, after) ? E.right(passes.checkpoint) : await inSpan(context, 'sync.commit', () => run.ledger.commit([], [], after))
  if (E.isLeft(saved)) return saved
  const { cursorA, links, parked } = saved.right
  return E.right({ ...still, cursorAfter: cursorA, links, parkedNow: parked, warnings, ...(unsettled === undefined ? {} : { unsettled }) })
}

const runOf = (context: FlowContext, begun: Begun, [lookA, lookB]: readonly [Look, Look]): PairedRun | undefined => {
  const { before, phase, ledger, scopeChanged } = begun
  const beside = context.b.ledger
  if (beside === undefined) return undefined
  const gen = (before?.gen ?? 0) + 1
  const nowhere = { cursor: null }
  const coverage = { source: lookA.coverage, destination: lookB.coverage }
  const from = phase === 'delta' ? before : null
  return {
    context, beside, gen, coverage,
    ledger: isListing({ coverage }) ? marking(ledger, gen) : ledger,
    policy: policyOf(context, phase, scopeChanged, ledger.isWhole()),
    from: { source: lookA.resynced ? null : (from?.cursorA ?? null), destination: lookB.resynced ? null : (from?.cursorB ?? null) },
    between: () => ({ ...nextOf(context, begun, nowhere, nowhere)(false), gen }),
    linksBefore: ledger.linkCount(),
    parkedBefore: before?.parked ?? 0,
    unsureAfter: unsureAfter(context),
  }
}

/** Links that this run puts say so: the passes tell them from those of before. */
const marking = (ledger: FlowLedger, gen: number): FlowLedger => {
  const { commit, commitWith } = ledger
  const marked = (puts: Parameters<FlowLedger['commit']>[0]): Parameters<FlowLedger['commit']>[0] => puts.map(([key, link]) => [key, { ...link, genA: gen }])
  return {
    ...ledger,
    commit: (puts, drops, checkpoint) => commit(marked(puts), drops, checkpoint),
    ...(commitWith === undefined ? {} : {
      commitWith: (writes, touched, settle, checkpoint) => commitWith(writes, touched, (wrote) => {
        const { puts, drops } = settle(wrote)
        return { puts: marked(puts), drops }
      }, checkpoint),
    }),
  }
}

const passesOf = (before: Checkpoint | null, { isCounting, allowed }: Pick<Passes, 'isCounting'> & Partial<Pick<Passes, 'allowed'>>): Passes => ({
  isCounting, allowed, counted: nothingCounted(), checkpoint: before, linksMet: 0, isEmpty: { source: false, destination: false }, waits: false, unsettled: undefined, warnings: [],
})

const judge = async ({ context, ledger }: PairedRun, { counted, isEmpty }: Passes, { phase, missing }: { readonly phase: Phase; readonly missing: PlanTotals['canaryMissing'] }): Done<Verdict> => {
  const sizes = await ledger.sizes()
  if (E.isLeft(sizes)) return sizes
  const verdict = guard({
    ...counted.totals, linksA: sizes.right.source, linksB: sizes.right.destination, emptyA: isEmpty.source, emptyB: isEmpty.destination, firstSync: phase === 'first',
    ...(missing === undefined ? {} : { canaryMissing: missing }),
  }, context.flow.guards ?? {})
  const { hold } = context.connection
  return E.right(verdict.is === 'held' || hold === undefined || counted.writes === 0 ? verdict : { is: 'held', by: 'person', message: heldText(hold, counted.writes) })
}

const canaryMissing = async ({ a, b, flow, signal }: FlowContext): Done<PlanTotals['canaryMissing']> => {
  const canary = flow.guards?.canary
  if (canary === undefined) return E.right(undefined)
  for (const [name, side] of [['source', a], ['destination', b]] as const) {
    const found = await findThere(side, [canary], signal)
    if (E.isLeft(found)) return E.left({ ...found.left, side: name })
    if (found.right.length === 0) return E.right(name)
  }
  return E.right(undefined)
}
