/**
 * Knows the story of one flow that is planned whole before its first write: every two-way flow, and one-way flows into
 * sides that keep no ledger of their own (SYNC.md §A.5). Streamed flows: streamed-flow.ts; two-way with more than is held at once:
 * paired-flow.ts.
 */
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import { defaultBatchSize } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { approvalOf, heldMessage, inMode } from './approval.ts'
import { beginAnew, beginFlow, type Begun } from './begin-flow.ts'
import { moved } from './checkpoint-moved.ts'
import { carryOut } from './carry-out.ts'
import { planAll, policyOf } from './decide.ts'
import { viewOf, type FlowEnd } from './flow-end.ts'
import { gather } from './gather.ts'
import { judgePlan } from './judge-plan.ts'
import { look, type Bound, type Look } from './look.ts'
import { mayPair, pairedAbove, runPaired } from './paired-flow.ts'
import { withHold } from './person-hold.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { loadLinks, newsIn, sightBoth } from './sight.ts'
import { mayGoLater, nextOf, unsureIn } from './spooled-checkpoint.ts'
import { alongWays } from './spread.ts'

export const runSpooled = async (context: FlowContext): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const begun = await beginFlow(context)
  if (E.isLeft(begun)) return begun
  const ended = await runFrom(context, begun.right)
  if (!('startsOver' in ended)) return ended
  const relisted: Begun = { ...begun.right, phase: 'resync' }
  const anew = ended.startsOver === 'restored' ? await beginAnew(context) : E.right(relisted)
  if (E.isLeft(anew)) return anew
  const again = await runFrom(context, anew.right)
  return 'startsOver' in again ? E.left({ is: 'unavailable', message: 'a side went back in time while it was read' }) : again
}

/** `restored`: a side went back in time, the links are no base. `torn`: links are lost, so both sides are listed whole. */
type StartsOver = { readonly startsOver: 'restored' | 'torn' }

const runFrom = async (asked: FlowContext, begun: Begun): Promise<E.Either<SyncFailure, FlowEnd> | StartsOver> => {
  const { before, phase, ledger, scopeChanged } = begun
  const context = inMode(asked, before)
  const dry = context.item.dryRun === true
  const still = { cursorBefore: before?.cursorA ?? null, cursorAfter: before?.cursorA ?? null, links: before?.links ?? 0, parkedNow: before?.parked ?? 0, warnings: [] }
  if (begun.changedAccount !== undefined) {
    const { by, message, plan } = begun.changedAccount
    const marked = dry || before === null ? E.right(null) : await ledger.commit([], [], { ...before, heldPlan: plan })
    return E.isLeft(marked) ? marked : E.right({ ...still, phase, held: { by, message }, plan: { hash: plan, moves: [], total: 0 } })
  }

  context.step('reading')
  const looks = await inSpan(context, 'sync.read', () => lookBoth(context, phase === 'delta' ? before : null, mayPair(context, ledger)))
  if (E.isLeft(looks)) return looks
  const [lookA, lookB] = looks.right
  if (lookA.restored || lookB.restored) return { startsOver: 'restored' }
  const realPhase: Phase = phase === 'delta' && (lookA.resynced || lookB.resynced) ? 'resync' : phase
  // More than is held at once, and it need not be: from here on page by page.
  if (lookA.isTooMuch || lookB.isTooMuch) {
    const counted = await (ledger.recount?.() ?? E.right(undefined))
    if (E.isLeft(counted)) return counted
    return isTorn(begun, lookA, lookB) ? { startsOver: 'torn' } : runPaired(context, begun, realPhase, looks.right)
  }
  const next = nextOf(context, begun, lookA, lookB)

  if (before !== null && phase === 'delta' && silent(lookA) && silent(lookB)) {
    if (!dry && moved(before, next(true))) {
      const saved = await inSpan(context, 'sync.commit', () => ledger.commit([], [], next(true)))
      if (E.isLeft(saved)) return saved
    }
    return E.right({ ...still, phase: realPhase, cursorAfter: lookA.cursor })
  }

  const sighted = await inSpan(context, 'sync.plan', async () => {
    const loaded = await loadLinks(context, ledger, lookA, lookB, still.parkedNow > 0)
    return E.isLeft(loaded) ? loaded : sightBoth({ context, links: ledger.links, scopeChanged }, lookA, lookB)
  })
  if (E.isLeft(sighted)) return sighted
  if (isTorn(begun, lookA, lookB)) return { startsOver: 'torn' }
  const [a, b] = sighted.right
  context.counts.read += newsIn(a) + newsIn(b)

  context.step('planning')
  const policy = policyOf(context, phase, scopeChanged, ledger.isWhole())
  const entries = gather(ledger.keyOf, ledger.links, a, b)
  const planned = await alongWays(context, planAll(context, entries, policy), false)
  if (E.isLeft(planned)) return planned
  const view = viewOf(planned.right)
  const guards = context.flow.guards ?? {}
  const judged = await judgePlan(planned.right, { ledger, lookA, lookB, firstSync: phase === 'first', guards })
  if (E.isLeft(judged)) return judged
  const verdict = withHold(context.connection, planned.right, judged.right)
  const told = { ...still, phase: realPhase, plan: view }
  if (verdict.is === 'held') {
    const approval = approvalOf(view.hash, { approved: context.item.approved, askedAt: context.item.askedAt, now: context.ports.clock.now(), before })
    if (approval.is !== 'given') {
      // Marked as waiting, so that exactly this plan can be approved, once. Nothing else moves.
      const marked = dry || before?.heldPlan === view.hash ? E.right(null) : await ledger.commit([], [], { ...next(false), heldPlan: view.hash, ...(context.item.mode === 'full' ? { heldFull: true } : {}) })
      return E.isLeft(marked) ? marked : E.right({ ...told, held: { by: verdict.by, message: heldMessage(verdict.message, approval) } })
    }
  }
  if (dry) return E.right(told)

  const waits = unsureIn(ledger.links, a, 'source') || unsureIn(ledger.links, b, 'destination') || (!policy.deletesAllowed && planned.right.some(mayGoLater))
  const carried = await carryOut(context, ledger, planned.right, policy, { next: (settled) => (settled && waits ? next('listed') : next(settled)), before })
  if (E.isLeft(carried)) return carried
  const { checkpoint, unsettled, warnings } = carried.right
  if (unsettled === undefined && warnings.length === 0) await context.spread?.forget(planned.right.filter(({ move }) => move.do === 'delete' || move.do === 'forget').map(({ entry }) => entry.key))
  return E.right({
    phase: realPhase,
    cursorBefore: still.cursorBefore,
    cursorAfter: checkpoint.cursorA,
    links: checkpoint.links,
    parkedNow: checkpoint.parked,
    warnings,
    ...(unsettled === undefined ? {} : { unsettled }),
  })
}

const lookBoth = async (context: FlowContext, from: Checkpoint | null, isPairable: boolean): Promise<E.Either<SyncFailure, readonly [Look, Look]>> => {
  const bound: { readonly bound?: Bound } = isPairable ? { bound: { most: context.ports.pairedAbove ?? pairedAbove, isTooMuch: false } } : {}
  const ask = { limit: context.flow.batchSize ?? defaultBatchSize, signal: context.signal, ...bound }
  const [a, b] = await Promise.all([
    look(context.a, { ...ask, cursor: from?.cursorA ?? null }),
    look(context.b, { ...ask, cursor: from?.cursorB ?? null }),
  ])
  if (E.isLeft(a)) return E.left({ ...a.left, side: 'source' })
  if (E.isLeft(b)) return E.left({ ...b.left, side: 'destination' })
  return E.right([a.right, b.right])
}

const isTorn = ({ ledger, phase }: Begun, lookA: Look, lookB: Look): boolean => !ledger.isWhole() && phase === 'delta' && (lookA.coverage === 'delta' || lookB.coverage === 'delta')

const silent = (l: Look): boolean => l.coverage === 'delta' && l.changes.length === 0
