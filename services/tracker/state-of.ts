/** Knows which state a connection shows (table of REQUIREMENTS §17). Does not know how it came to it. */
import type { Status } from '#libs/contracts/status.ts'
import type { ConnectionState } from '#libs/domain/states.ts'

/** What the paused flag of the document makes of it; the very same status when it changes nothing. */
export const foldPaused = (status: Status, paused: boolean): Status =>
  stateOf(status, paused) === status.state ? status : settled(status, paused)

export const settled = (status: Status, paused: boolean): Status => ({ ...status, state: stateOf(status, paused) })

export const stateOf = (status: Status, paused: boolean): ConnectionState => {
  if (paused) return 'paused'
  // a deferred run is queued for later: until then the connection shows how the last one ended
  if (status.running !== undefined && status.running.state !== 'queued') return 'syncing'
  const last = status.lastRun
  if (last === undefined) return 'never_synced'
  if (last.outcome === 'held') return 'held'
  if (last.outcome === 'failed' || last.outcome === 'dead' || last.error !== undefined) return 'error'
  return last.outcome === 'partial' && status.held !== undefined ? 'held' : 'idle'
}

export const unheardOf = (conn: Status['conn']): Status => ({
  conn, state: 'never_synced', fence: 0, parked: 0, hasSyncToken: false, updatedAt: 0,
})
