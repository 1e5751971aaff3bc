/**
 * Knows what must hold of every history (SYNC.md §F.5), one file for each invariant, and what they come to together (§F.6).
 * Pure: the same history, the same verdict.
 */
import type { HistoryRecord } from '../history.ts'
import { ackedWrites } from './acked-writes.ts'
import { bounds } from './bounds.ts'
import { convergence } from './convergence.ts'
import { cursors } from './cursors.ts'
import { deletes } from './deletes.ts'
import { duplicates } from './duplicates.ts'
import { fencing } from './fencing.ts'
import type { Found, Invariant, InvariantName } from './invariant.ts'
import { preconditions } from './preconditions.ts'
import { recovery } from './recovery.ts'
import { secrets } from './secrets.ts'
import { silence } from './silence.ts'
import { storyOf } from './story.ts'
import { triggers } from './triggers.ts'

export const invariants: ReadonlyArray<Invariant> = [
  ackedWrites, duplicates, convergence, silence, deletes, fencing, preconditions, cursors, triggers, bounds, recovery, secrets,
]

/** `not checked`: the history held nothing that it speaks of, which is never a pass. */
export type Judged = Found & { readonly name: InvariantName; readonly says: string; readonly standing: 'holds' | 'violated' | 'not checked' }

export type Verdict = {
  /** `unknown`: too many ops have an unknown outcome for the rest to mean much; run again. */
  readonly verdict: 'ok' | 'unknown' | 'violation'
  /** Of the client ops, those of unknown outcome: 0 to 1. */
  readonly unknownShare: number
  readonly invariants: ReadonlyArray<Judged>
}

const mostUnknown = 0.2

/** `canaries`: secrets that were planted, which nobody may find again. */
export const check = (history: ReadonlyArray<HistoryRecord>, canaries: ReadonlyArray<string> = []): Verdict => {
  const story = storyOf(history, canaries)
  const judged = invariants.map(({ name, says, judge }): Judged => {
    const found = judge(story)
    return { name, says, ...found, standing: found.violations.length > 0 ? 'violated' : found.checked > 0 ? 'holds' : 'not checked' }
  })
  const ops = story.all('op')
  const unknownShare = ops.length === 0 ? 0 : ops.filter(({ result }) => result === 'unknown').length / ops.length
  const isViolated = judged.some(({ standing }) => standing === 'violated')
  return { verdict: isViolated ? 'violation' : unknownShare > mostUnknown ? 'unknown' : 'ok', unknownShare, invariants: judged }
}
