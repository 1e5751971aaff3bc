/**
 * Knows what one worker remembers of the leases it held, over all its runs: the highest revision it was ever given, and whose
 * it has compared. Lost with the process, and nothing depends on it but speed and alarm.
 */
import type { ConnectionId } from '#libs/domain/ids.ts'

export type LeaseMemory = {
  readonly saw: (revision: number) => void
  /**
   * Revisions count up over the whole bucket, so one written from now on is above this, whatever its connection; if it is
   * not, the store went back in time (NATS.md §3.8).
   */
  readonly highest: () => number
  /** This process has compared a fence of the connection with the highest that was ever heard of it. */
  readonly isChecked: (conn: ConnectionId) => boolean
  readonly checked: (conn: ConnectionId) => void
}

/** About 10 MB; beyond it, connections are looked at once more. */
const maxChecked = 200_000

export const leaseMemory = (): LeaseMemory => {
  const seen = new Set<ConnectionId>()
  let highest = 0
  const saw = (revision: number): void => {
    if (revision > highest) highest = revision
  }
  return {
    saw,
    highest: () => highest,
    isChecked: (conn) => seen.has(conn),
    checked: (conn) => {
      if (seen.size >= maxChecked) seen.clear()
      seen.add(conn)
    },
  }
}
