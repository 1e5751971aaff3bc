/**
 * Knows when a whole plan is too frightening to run unasked (SYNC.md §C). Evaluated before the first write; what it
 * holds waits for a person, whose approval is bound to the plan's hash.
 */
import type { Guards } from '#libs/domain/connection.ts'

export type PlanTotals = {
  readonly linksA: number
  readonly linksB: number
  readonly deletesA: number
  readonly deletesB: number
  readonly createsA: number
  readonly createsB: number
  readonly changedA: number
  readonly changedB: number
  /** A complete listing of that side showed nothing at all. */
  readonly emptyA: boolean
  readonly emptyB: boolean
  readonly firstSync: boolean
  /** Items that differ from what is remembered, and writes they would lead to: one change asks for a write or two. */
  readonly observed: number
  readonly writes: number
  /** The side that does not show the canary. */
  readonly canaryMissing?: 'source' | 'destination'
}

export type Verdict = { readonly is: 'go' } | { readonly is: 'held'; readonly by: string; readonly message: string }

/** Deletes: > 10 and > 25 %. All changed: ≥ 20 links and > 90 %. Create flood: > 10 and > 50 %. Writes: > 3 × changes + 10 (SYNC.md §B.7, §C). */
export const guardDefaults = { maxDeletes: 10, maxDeleteShare: 0.25, changedFrom: 20, changedShare: 0.9, createsFrom: 10, createsShare: 0.5, writesPerChange: 3, writesBeside: 10 } as const

export const guard = (totals: PlanTotals, guards: Guards): Verdict => {
  if (totals.canaryMissing !== undefined) {
    return held('canary', `the ${totals.canaryMissing} does not show "${guards.canary ?? ''}", which must be on both sides`)
  }
  if (totals.firstSync) return { is: 'go' }
  const sides = [
    { name: 'source', links: totals.linksA, deletes: totals.deletesA, deletesThere: totals.deletesB, creates: totals.createsA, changed: totals.changedA, empty: totals.emptyA },
    { name: 'destination', links: totals.linksB, deletes: totals.deletesB, deletesThere: totals.deletesA, creates: totals.createsB, changed: totals.changedB, empty: totals.emptyB },
  ] as const
  const maxDeletes = guards.maxDeletes ?? guardDefaults.maxDeletes
  const maxDeleteShare = guards.maxDeleteShare ?? guardDefaults.maxDeleteShare
  for (const side of sides) {
    // Nothing would follow from it (a one-way flow whose destination somebody emptied): told as drift, not held for ever.
    if (side.empty && ((side.links >= 1 && totals.writes > 0) || side.deletesThere > 0)) {
      return held('emptied-side', `the ${side.name} shows no item at all, but ${side.links} were linked`)
    }
    if (side.deletes > maxDeletes && side.deletes > maxDeleteShare * side.links) {
      return held('mass-delete', `${side.deletes} of ${side.links} items would be deleted at the ${side.name} (limit: more than ${maxDeletes} and more than ${percent(maxDeleteShare)})`)
    }
    if (side.links >= guardDefaults.changedFrom && side.changed > guardDefaults.changedShare * side.links) {
      return held('all-changed', `${side.changed} of ${side.links} items changed at once at the ${side.name}`)
    }
    if (side.links > 0 && side.creates > guardDefaults.createsFrom && side.creates > guardDefaults.createsShare * side.links) {
      return held('create-flood', `${side.creates} items would be created at the ${side.name}, which has ${side.links}`)
    }
  }
  if (totals.writes > guardDefaults.writesPerChange * totals.observed + guardDefaults.writesBeside) {
    return held('amplification', `${totals.observed} changes would lead to ${totals.writes} writes`)
  }
  return { is: 'go' }
}

const held = (by: string, message: string): Verdict => ({ is: 'held', by, message })
const percent = (share: number): string => `${Math.round(share * 100)} %`
