/** Knows what becomes of a two-way move that would write to a side which may not be written (T17). Pure. */
import type { SideName } from './classify.ts'
import { otherOf } from './classify.ts'
import type { Entry } from './gather.ts'
import type { Move } from './plan.ts'

export type ReadOnlyPolicy = 'error' | 'ignore' | 'revert'

/** The side that may not be written. */
export type Sealed = { readonly side: SideName; readonly policy: ReadOnlyPolicy; readonly deletesAllowed: boolean }

/** Answers `refused` when the whole plan must fail before its first write. */
export const unseal = ({ link, a, b }: Entry, move: Move, { side, policy, deletesAllowed }: Sealed): Move | 'refused' => {
  const other = otherOf(side)
  const writes = move.do === 'conflict' || ((move.do === 'create' || move.do === 'update' || move.do === 'delete') && move.on === side)
  if (!writes) return move
  switch (policy) {
    case 'error':
      // A conflict may end in favour of either side; refusing it is the careful reading.
      return 'refused'
    case 'ignore':
      // Without a link there is nothing to mark: a listing simply shows it again.
      return link === undefined ? { do: 'nothing' } : { do: 'report-drift', on: other }
    case 'revert': {
      const sealed = side === 'source' ? a : b
      const open = side === 'source' ? b : a
      // No base, no deletes: what only the other side has on a first meeting is left alone, then and later.
      if (sealed.is === 'never' || sealed.is === 'deleted') return deletesAllowed ? { do: 'delete', on: other } : { do: 'unlink', from: side, because: 'read-only' }
      return { do: open.is === 'never' || open.is === 'deleted' ? 'create' : 'update', on: other }
    }
  }
}
