/**
 * Knows whether a person's approval covers the plan that a guard stopped (SYNC.md §C): it names this very plan, which was
 * held before, and it was not used yet. Pure.
 */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { FlowContext } from './run-context.ts'

export type Approval = { readonly is: 'none' } | { readonly is: 'given' } | { readonly is: 'refused'; readonly why: string }

/** SYNC.md §C: an approval lives 24 h. */
const livesMs = 24 * 3_600_000

export type ApprovalAsk = { readonly approved: string | undefined; readonly askedAt: number; readonly now: number; readonly before: Checkpoint | null }

export const approvalOf = (plan: string, { approved, askedAt, now, before }: ApprovalAsk): Approval => {
  if (approved === undefined) return { is: 'none' }
  if (approved !== plan) return { is: 'refused', why: `plan ${approved} was approved, but the plan is ${plan} now` }
  // The mark goes away with the first commit of the run that was approved, so that no approval is used twice.
  if (before?.heldPlan !== approved) return { is: 'refused', why: `plan ${approved} is not waiting for an approval` }
  return now - askedAt > livesMs ? { is: 'refused', why: `the approval of plan ${approved} is older than 24 hours` } : { is: 'given' }
}

export const heldMessage = (message: string, approval: Approval): string => (approval.is === 'refused' ? `${message}; ${approval.why}` : message)

/** What waits for an approval was planned by a full run: only another full one comes to the same plan. */
export const inMode = (context: FlowContext, before: Checkpoint | null): FlowContext =>
  before?.heldFull !== true || context.item.mode === 'full' ? context : { ...context, item: { ...context.item, mode: 'full' } }
