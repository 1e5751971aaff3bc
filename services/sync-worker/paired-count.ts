/** Knows how moves that come page by page are added up for the guards, and what binds an approval to all of them. Pure. */
import { hash } from 'node:crypto'
import { planLine, shownMoves, viewOf, type MoveView, type Planned, type PlanView } from './flow-end.ts'
import { guardDefaults, type PlanTotals } from './guard.ts'
import { isWrite } from './person-hold.ts'
import { totalsOf } from './plan-totals.ts'

export type Counted = { totals: PlanTotals; moves: Array<MoveView>; total: number; writes: number; digest: bigint }

const nothingSeen = { coverage: 'delta', changes: [], cursor: null, resynced: false, restored: false, isTooMuch: false } as const
const noLinks = new Map<string, never>()
const countOf = (planned: ReadonlyArray<Planned>): PlanTotals => totalsOf(planned, { links: noLinks, lookA: nothingSeen, lookB: nothingSeen, firstSync: false, canary: undefined })

export const nothingCounted = (): Counted => ({ totals: countOf([]), moves: [], total: 0, writes: 0, digest: 0n })

export const addTo = (counted: Counted, planned: ReadonlyArray<Planned>): void => {
  const page = countOf(planned)
  const { totals } = counted
  counted.totals = {
    ...totals,
    deletesA: totals.deletesA + page.deletesA, deletesB: totals.deletesB + page.deletesB,
    createsA: totals.createsA + page.createsA, createsB: totals.createsB + page.createsB,
    changedA: totals.changedA + page.changedA, changedB: totals.changedB + page.changedB,
    observed: totals.observed + page.observed, writes: totals.writes + page.writes,
  }
  const view = viewOf(planned)
  counted.moves.push(...view.moves.slice(0, shownMoves - counted.moves.length))
  counted.total += view.total
  for (const one of planned) {
    if (isWrite(one.move.do)) counted.writes++
    const line = planLine(one)
    // A sum, so that it does not matter where a page ends.
    if (line !== undefined) counted.digest = BigInt.asUintN(128, counted.digest + BigInt(`0x${hash('sha256', line, 'hex').slice(0, 32)}`))
  }
}

export const viewOfCounted = ({ moves, total, digest }: Counted): PlanView => ({ hash: hash('sha256', `${total}|${digest}`, 'hex').slice(0, 16), moves, total })

/** Deletes that a page would do beyond what was counted, and shown to the guards, when nothing was written yet. */
export const isBeyond = (done: PlanTotals, page: ReadonlyArray<Planned>, counted: PlanTotals): boolean => {
  const now = countOf(page)
  return done.deletesA + now.deletesA > counted.deletesA + guardDefaults.maxDeletes || done.deletesB + now.deletesB > counted.deletesB + guardDefaults.maxDeletes
}
