/**
 * Knows what a person's hold means for a plan (SYNC.md §A.4, held): it is shown, and nothing of it is written until the hold
 * is taken off or exactly this plan is approved. A plan that writes nothing is not held. Pure.
 */
import type { Connection } from '#libs/domain/connection.ts'
import type { Planned } from './flow-end.ts'
import type { Verdict } from './guard.ts'

/** What a guard holds is told as the guard's: it says more. */
export const withHold = (connection: Connection, planned: ReadonlyArray<Planned>, verdict: Verdict): Verdict => {
  if (verdict.is === 'held' || connection.hold === undefined) return verdict
  const writes = planned.filter(({ move }) => isWrite(move.do)).length
  return writes === 0 ? verdict : { is: 'held', by: 'person', message: heldText(connection.hold, writes) }
}

/** The moves that lead to a write at a side. */
export const isWrite = (move: string): boolean => move === 'create' || move === 'update' || move === 'delete' || move === 'conflict'

export const heldText = ({ at, by, reason }: NonNullable<Connection['hold']>, writes: number): string =>
  `held${by === undefined ? '' : ` by ${by}`} since ${new Date(at).toISOString()}${reason === undefined ? '' : ` (${reason})`}: ${writes} ${writes === 1 ? 'write waits' : 'writes wait'}`
