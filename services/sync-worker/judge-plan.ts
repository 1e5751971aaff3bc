/**
 * Knows that a plan is judged by the numbers of all links, though only those were read that it speaks of. Counting a million
 * takes a while, so they are counted only where their number could matter.
 */
import type { Guards } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { Planned } from './flow-end.ts'
import type { FlowLedger } from './flow-ledger.ts'
import { guard, guardDefaults, type PlanTotals, type Verdict } from './guard.ts'
import type { Look } from './look.ts'
import { totalsOf } from './plan-totals.ts'

export type Judging = { readonly ledger: FlowLedger; readonly lookA: Look; readonly lookB: Look; readonly firstSync: boolean; readonly guards: Guards }

export const judgePlan = async (planned: ReadonlyArray<Planned>, { ledger, lookA, lookB, firstSync, guards }: Judging): Promise<E.Either<SyncFailure, Verdict>> => {
  const totals = totalsOf(planned, { links: ledger.links, lookA, lookB, firstSync, canary: guards.canary })
  const { linksA, linksB } = totals
  // A share of more links is a smaller one: what goes with those at hand, and with as many as each guard begins at, goes with all.
  const more: PlanTotals = { ...totals, linksA: atLeast(linksA), linksB: atLeast(linksB) }
  const verdict = guard(totals, guards)
  if (!ledger.isBeside || (verdict.is === 'go' && guard(more, guards).is === 'go')) return E.right(verdict)
  const sizes = await ledger.sizes()
  if (E.isLeft(sizes)) return sizes
  return E.right(guard({ ...totals, linksA: Math.max(linksA, sizes.right.source), linksB: Math.max(linksB, sizes.right.destination) }, guards))
}

const atLeast = (links: number): number => Math.max(links, guardDefaults.changedFrom)
