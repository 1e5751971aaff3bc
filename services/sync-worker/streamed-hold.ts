/**
 * Knows how a flow that streams is played while a person holds its connection: first as a dry run; what it would write is
 * held, and an approved plan is then played for real. Between the two it reads the source again.
 */
import { hash } from 'node:crypto'
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { approvalOf, heldMessage } from './approval.ts'
import { cfgHashOf } from './cfg-hash.ts'
import type { FlowEnd, PlanView } from './flow-end.ts'
import { heldText, isWrite } from './person-hold.ts'
import { noCounts, type FlowContext } from './run-context.ts'
import { runStreamed } from './streamed-flow.ts'

type Ended = E.Either<SyncFailure, FlowEnd>

export const runStreamedHeld = async (context: FlowContext, ledger: TransactionalLedger, hold: NonNullable<Connection['hold']>): Promise<Ended> => {
  const { item, signal, ports } = context
  const counts = noCounts()
  const { approved: _, ...unapproved } = item
  const shown = await runStreamed({ ...context, counts, item: { ...unapproved, dryRun: true } }, ledger)
  if (E.isLeft(shown)) return shown
  const { plan: shownPlan, ...end } = shown.right
  const plan = shownPlan ?? { hash: '', moves: [], total: 0 }
  const writes = writesIn(plan)
  context.counts.read += counts.read
  if (writes === 0 && end.held === undefined) return E.right(item.dryRun === true ? shown.right : end)
  // What a guard holds as well keeps the guard's hash: one approval is enough for both.
  const named = end.held === undefined ? { ...plan, hash: hashOf(plan) } : plan
  const told = (why?: string): FlowEnd => ({ ...end, plan: named, held: { by: end.held?.by ?? 'person', message: why ?? end.held?.message ?? heldText(hold, writes) } })
  if (item.dryRun === true) return E.right(told())

  const before = await ledger.peek(signal)()
  if (E.isLeft(before)) return before
  const approval = approvalOf(named.hash, { approved: item.approved, askedAt: item.askedAt, now: ports.clock.now(), before: before.right })
  if (approval.is === 'given') {
    context.counts.read -= counts.read
    return runStreamed(context, ledger)
  }
  const marked = before.right?.heldPlan === named.hash ? E.right(undefined) : await mark(context, ledger, named.hash)
  return E.isLeft(marked) ? marked : E.right(told(heldMessage(end.held?.message ?? heldText(hold, writes), approval)))
}

/** A move that is not shown any more may be a write. */
const writesIn = ({ moves, total }: PlanView): number => moves.filter((move) => isWrite(move.do)).length + Math.max(0, total - moves.length)

/** Of rows the first 500 are told one by one, the rest by their number (docs/operating.md, "Held plans"). */
const hashOf = ({ hash: shown, moves, total }: PlanView): string => hash('sha256', JSON.stringify([shown, total, moves]), 'hex').slice(0, 16)

const mark = async ({ hold, item, flow, signal }: FlowContext, ledger: TransactionalLedger, heldPlan: string): Promise<E.Either<SyncFailure, unknown>> => {
  const claimed = await ledger.claim(hold.fence, signal)()
  if (E.isLeft(claimed)) return claimed
  const none: Checkpoint = { fence: hold.fence, run: item.run, phase: 'first', gen: 0, cursorA: null, cursorB: null, cfgHash: cfgHashOf(flow), pages: 0, links: 0, parked: 0 }
  const checkpoint = { ...(claimed.right ?? none), fence: hold.fence, run: item.run, heldPlan }
  return ledger.commit({ fence: hold.fence, writes: [], settle: () => ({ puts: [], drops: [], checkpoint }) }, signal)()
}
