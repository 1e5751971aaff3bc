/**
 * Knows the connection document: what a user configures, one per KV entry of `sync_connections`.
 * Does not know YAML: cli/config turns a file into these and reports mistakes by line.
 */
import * as t from 'io-ts'
import { ConnectionId, FlowId } from './ids.ts'
import { RecordKind } from './record.ts'
import { Schedule } from './schedule.ts'

/** What a connector needs to open its side; `provider` picks the connector, which decodes the rest itself. */
export const Side = t.intersection([t.type({ provider: t.string }), t.record(t.string, t.unknown)])
export type Side = { readonly provider: string } & { readonly [option: string]: unknown }

export const Strategy = t.keyof({ 'source-wins': null, 'destination-wins': null, 'newest-wins': null, merge: null, manual: null })
export type Strategy = t.TypeOf<typeof Strategy>

export const Guards = t.partial({
  /** Deletes on one side above this count *and* above `maxDeleteShare` of its links hold the run (SYNC.md §C: 10, 0.25). */
  maxDeletes: t.number,
  maxDeleteShare: t.number,
  /** Parked records above this share of what was read fail the run and keep the cursor (R 17.4). Default 0.5 above 10. */
  maxBadShare: t.number,
  /** `strict` spools a one-way flow whole so that every whole-plan guard applies to it. */
  mode: t.keyof({ standard: null, strict: null }),
  /** Identity of an item that both sides must show; a run that misses it is held (rclone's `check-access`). */
  canary: t.string,
})
export type Guards = t.TypeOf<typeof Guards>

export const Flow = t.intersection([
  t.type({
    id: FlowId,
    direction: t.keyof({ 'one-way': null, 'two-way': null }),
    kind: RecordKind,
    source: Side,
    destination: Side,
  }),
  t.partial({
    /** destination field → source field; absent = all fields by their own names. */
    fields: t.record(t.string, t.string),
    /** One-way only: what to do when the destination's copy was edited or deleted by somebody else. */
    drift: t.keyof({ ignore: null, reassert: null }),
    /** One-way only: `keep` never deletes at the destination. */
    deletes: t.keyof({ follow: null, keep: null }),
    /** A deletion beats an edit made on the other side. Default false: the edit wins. */
    deleteWins: t.boolean,
    batchSize: t.number,
    /**
     * Two-way, when one side may not be written. `error` (default): a plan that would write there fails before its first
     * write; `ignore`: its changes come over, the other side's stay where they are; `revert`: the other side is put back.
     */
    readOnly: t.keyof({ error: null, ignore: null, revert: null }),
    /** A side may show our own write this much later (People: minutes): younger ones are not taken for deleted. Default 0. */
    horizonMs: t.number,
    guards: Guards,
  }),
])
export type Flow = t.TypeOf<typeof Flow>

export const Connection = t.intersection([
  t.type({ id: ConnectionId, schedule: Schedule, flows: t.array(Flow) }),
  t.partial({
    description: t.string,
    strategy: Strategy,
    /** `merge`: whose value stands when both changed one scalar. Default `source`. */
    tie: t.keyof({ source: null, destination: null }),
    /** Strategies beside `source-wins` need this flag (R 4.6, 17.8); true unless the operator withdraws it. */
    entitled: t.boolean,
    lane: t.keyof({ hot: null, cold: null }),
    priority: t.number,
    paused: t.boolean,
    /** A person's hold: runs plan and show, and write nothing until it is released or their plan is approved. */
    hold: t.intersection([t.type({ at: t.number }), t.partial({ by: t.string, reason: t.string })]),
    runTimeoutMs: t.number,
    maxAttempts: t.number,
    /** Overlap of two activities that makes them the same, as a share of the shorter. Default 0.7 (DESIGN §13). */
    sameActivityOverlap: t.number,
  }),
])
export type Connection = t.TypeOf<typeof Connection>

export const strategyOf = (connection: Connection): Strategy => connection.strategy ?? 'source-wins'
export const laneOf = (connection: Connection): 'hot' | 'cold' => connection.lane ?? 'hot'

/** R 12.5. */
export const defaultBatchSize = 100
/** Deliveries of one work item before it becomes a dead letter. */
export const defaultMaxAttempts = 5
/** A run may take this long before it is ended as failed (R 8.12). */
export const defaultRunTimeoutMs = 60 * 60_000
