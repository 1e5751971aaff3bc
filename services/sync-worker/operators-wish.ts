/** Knows what differs in a run that an operator asked for: how it is told, and that it is never put off. Pure. */
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'

/** What was asked for beside a sync, who asked, and why: kept in the history. */
export const askedOf = ({ approved, restore, reset, undo, by, reason }: WorkItem): Pick<RunResult, 'asked'> => {
  const wish = reset !== undefined ? { what: 'reset', of: reset } as const
    : undo !== undefined ? { what: 'undo', of: undo } as const
    : restore !== undefined ? { what: 'restore', of: String(restore) } as const
    : approved !== undefined ? { what: 'approve', of: approved } as const
    : undefined
  return wish === undefined ? {} : { asked: { ...wish, ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) } }
}

/**
 * A run is put off by a request, which anybody may write and which therefore cannot carry an operator's wish: such a run comes
 * again by redelivery instead, with the wish.
 */
export const asOperators = (item: WorkItem, failure: SyncFailure): SyncFailure => {
  if (askedOf(item).asked === undefined || (failure.is !== 'later' && failure.is !== 'stopping')) return failure
  const { is, ...facts } = failure
  return { message: facts.message, code: is, is: 'unavailable', ...(facts.mend === undefined ? {} : { mend: facts.mend }), ...(facts.flow === undefined ? {} : { flow: facts.flow }), ...(facts.side === undefined ? {} : { side: facts.side }) }
}
