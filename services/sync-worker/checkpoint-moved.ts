/** Knows when a checkpoint has to be stored again. Pure. */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'

/** Whether this checkpoint says more than the one before it. */
export const moved = (before: Checkpoint, after: Checkpoint): boolean =>
  before.cursorA !== after.cursorA || before.cursorB !== after.cursorB || before.phase !== after.phase || before.cfgHash !== after.cfgHash
  || before.heldPlan !== after.heldPlan || before.heldFull !== after.heldFull || before.withoutDeletes !== after.withoutDeletes || before.sideA !== after.sideA || before.sideB !== after.sideB
  || before.principalA !== after.principalA || before.principalB !== after.principalB
