/** Knows "the source wins" (R 4.3), the default. SYNC.md §A.3, column S. */
import { takeWhole } from '../conflict.ts'
import type { Strategy } from '../conflict.ts'

export const sourceWins: Strategy = (conflict, { deleteWins }) => {
  switch (conflict.met) {
    // Both edited it: the destination is overwritten, its version archived.
    case 'edit-edit':
      return takeWhole(conflict, 'source', 'source-wins')
    // Edited at the source, deleted at the destination: the edit is the source's, so the item comes back.
    case 'edit-delete':
      return takeWhole(conflict, 'source', 'edit-wins')
    // Deleted at the source, edited at the destination: an edit is work somebody did, so it stays unless told otherwise.
    case 'delete-edit':
      return deleteWins ? takeWhole(conflict, 'source', 'delete-wins') : takeWhole(conflict, 'destination', 'edit-wins')
  }
}
