/** Knows "the destination wins" (R 4.4): what stands there is never overwritten. SYNC.md §A.3, column T. */
import { takeWhole } from '../conflict.ts'
import type { Strategy } from '../conflict.ts'

export const destinationWins: Strategy = (conflict, { deleteWins }) => {
  switch (conflict.met) {
    // Both edited it: the source's change is dropped, its version archived.
    case 'edit-edit':
      return takeWhole(conflict, 'destination', 'destination-wins')
    // Edited at the source, deleted at the destination: an edit is work somebody did, so it stays unless told otherwise.
    case 'edit-delete':
      return deleteWins ? takeWhole(conflict, 'destination', 'delete-wins') : takeWhole(conflict, 'source', 'edit-wins')
    // Deleted at the source, edited at the destination: the destination has it, so the source gets it back.
    case 'delete-edit':
      return takeWhole(conflict, 'destination', 'edit-wins')
  }
}
