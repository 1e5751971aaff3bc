/**
 * Knows the states of a connection and of a run, and which run state may follow which (REQUIREMENTS §17).
 * docs/state-machines.md tells the same in prose; a test holds the two together.
 */
import * as t from 'io-ts'

export const ConnectionState = t.keyof({ never_synced: null, idle: null, syncing: null, error: null, paused: null, held: null })
export type ConnectionState = t.TypeOf<typeof ConnectionState>

export const RunState = t.keyof({
  queued: null, 'in-progress': null, retrying: null, succeeded: null, failed: null, dead: null, cancelled: null, skipped: null, held: null,
})
export type RunState = t.TypeOf<typeof RunState>

/** The last token of a result's subject: the run's final state, plus `partial` (a flow failed or records were parked). */
export const Outcome = t.keyof({ succeeded: null, partial: null, failed: null, dead: null, cancelled: null, skipped: null, held: null })
export type Outcome = t.TypeOf<typeof Outcome>

export const runTransitions: Readonly<Record<RunState, ReadonlyArray<RunState>>> = {
  queued: ['in-progress', 'skipped', 'cancelled'],
  'in-progress': ['succeeded', 'retrying', 'failed', 'cancelled', 'held'],
  retrying: ['in-progress', 'failed', 'cancelled'],
  succeeded: [],
  failed: ['dead'],
  dead: ['queued'],
  cancelled: [],
  skipped: [],
  held: ['queued', 'cancelled'],
}
