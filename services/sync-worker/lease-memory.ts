/**
 * Knows what one worker remembers of the leases it held, over all its runs: the markers of those it gave back a moment
 * ago, and the highest revision it was ever given. Lost with the process, and nothing depends on it but speed and alarm.
 */
import type { ConnectionId } from '#libs/domain/ids.ts'

export type LeaseMemory = {
  /**
   * What the next write of a lease has to expect. A freed lease leaves a marker that the server removes after about a
   * second; from then on "there is none" is right, and one round trip takes it.
   */
  readonly expected: (conn: ConnectionId, now: number) => number
  readonly gaveBack: (conn: ConnectionId, revision: number, now: number) => void
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

const markerLivesMs = 1_000
const maxMarkers = 10_000
/** About 10 MB; beyond it, connections are looked at once more. */
const maxChecked = 200_000

export const leaseMemory = (): LeaseMemory => {
  const markers = new Map<ConnectionId, { readonly revision: number; readonly at: number }>()
  const seen = new Set<ConnectionId>()
  let highest = 0
  const saw = (revision: number): void => {
    if (revision > highest) highest = revision
  }
  return {
    expected: (conn, now) => {
      const marker = markers.get(conn)
      markers.delete(conn)
      return marker !== undefined && now - marker.at < markerLivesMs ? marker.revision : 0
    },
    gaveBack: (conn, revision, now) => {
      if (markers.size >= maxMarkers) markers.clear()
      markers.set(conn, { revision, at: now })
      saw(revision)
    },
    saw,
    highest: () => highest,
    isChecked: (conn) => seen.has(conn),
    checked: (conn) => {
      if (seen.size >= maxChecked) seen.clear()
      seen.add(conn)
    },
  }
}
