import type { ConflictQuestion } from '#libs/contracts/conflict.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'

/** Two versions of one contact, both edited; `source-wins` unless told otherwise. */
export const arbitraryConflictQuestion = (given: Partial<ConflictQuestion> = {}): ConflictQuestion => ({
  conn: 'contacts' as ConnectionId,
  flow: 'people' as FlowId,
  run: '01J00000000000000000000000',
  kind: 'contact',
  strategy: 'source-wins',
  tie: 'source',
  deleteWins: false,
  entitled: true,
  items: [{ key: 'ann', source: { is: 'present', fields: { FN: 'Anne' } }, destination: { is: 'present', fields: { FN: 'Ann' } } }],
  ...given,
})
