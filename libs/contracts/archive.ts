/** On `sync.archive.<conn>.<flow>.<link>`: the version that a run was about to overwrite or delete (SYNC.md §C, 30 days). */
import * as t from 'io-ts'
import { ConnectionId, FlowId } from '../domain/ids.ts'
import { RecordKind } from '../domain/record.ts'
import { contract } from './decode.ts'

export const ArchivedVersion = contract('archived-version.1', t.intersection([
  t.type({
    conn: ConnectionId,
    flow: FlowId,
    run: t.string,
    key: t.string,
    side: t.keyof({ source: null, destination: null }),
    remoteId: t.string,
    kind: RecordKind,
    fields: t.record(t.string, t.unknown),
    at: t.number,
    because: t.keyof({ overwritten: null, deleted: null, 'conflict-loser': null }),
  }),
  t.partial({
    version: t.union([t.string, t.null]),
    /** Hash of the content that takes its place; null = nothing does. By it `undo` sees whether it was edited since. */
    became: t.union([t.string, t.null]),
    /** Rule by which the conflict resolver decided, with its provenance. */
    rule: t.string,
    provenance: t.array(t.type({ field: t.string, rule: t.string, winner: t.string })),
    /**
     * Of a version that no message can hold: `fields` is empty, and their JSON, gzipped, is in the archived parts with these
     * sequences, in this order. `digest`: SHA-256 of the JSON, hex.
     */
    parts: t.type({ seqs: t.array(t.number), digest: t.string }),
  }),
]))
export type ArchivedVersion = t.TypeOf<typeof ArchivedVersion.codec>

/**
 * On `sync.archive.<conn>.<flow>.created.<side>`: items that a run has created there, so that `undo` can take them out. Of the
 * first load of a flow that streams into a database none are noted.
 */
export const CreatedItems = contract('created-items.1', t.type({
  conn: ConnectionId,
  flow: FlowId,
  run: t.string,
  side: t.keyof({ source: null, destination: null }),
  at: t.number,
  /** `id` at that side; `hash` of what it showed then. */
  items: t.array(t.type({ key: t.string, id: t.string, hash: t.string })),
}))
export type CreatedItems = t.TypeOf<typeof CreatedItems.codec>

/** On `sync.archive.<conn>.<flow>.part.<link>`: a piece of a version too large for one message. Stored before the version. */
export const ArchivedPart = contract('archived-part.1', t.type({
  conn: ConnectionId,
  flow: FlowId,
  run: t.string,
  /** From 1. */
  n: t.number,
  /** Base64. */
  data: t.string,
}))
export type ArchivedPart = t.TypeOf<typeof ArchivedPart.codec>
