/** Knows in which of its two possible places a flow's links are kept (ADR 0016). Pure. */
import type { Capabilities } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Flow } from '#libs/domain/connection.ts'

/**
 * Of a flow whose destination can keep links beside its rows. A one-way flow does so unless it is planned whole. A two-way
 * flow does so too, unless it began in KV: there it stays until it is reset.
 */
export const isKeptBeside = ({ direction, guards }: Flow, inStore: Checkpoint | null, beside: Checkpoint | null, { canWrite }: Pick<Capabilities, 'canWrite'>): boolean => {
  if (direction === 'one-way') return guards?.mode !== 'strict'
  // Where nothing may be written, nothing is begun.
  if (inStore === null || isBare(inStore)) return canWrite || beside !== null
  // It changed its way in between, perhaps more than once: the younger one knows what was done last.
  return beside !== null && beside.fence >= inStore.fence
}

/** Nothing is linked, nor was anything read to an end: a reset, or a note of who stands behind the two sides. */
export const isBare = ({ phase, links }: Checkpoint): boolean => phase === 'first' && links === 0
