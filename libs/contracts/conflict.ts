/** Asked by the sync-worker of the conflict-resolver on `sync.resolve.<strategy>`, one question per batch of items. */
import * as t from 'io-ts'
import { Strategy } from '../domain/connection.ts'
import { ConnectionId, FlowId } from '../domain/ids.ts'
import { RecordKind } from '../domain/record.ts'
import { contract } from './decode.ts'

const FieldsCodec = t.record(t.string, t.unknown)
const FieldHashesCodec = t.record(t.string, t.union([t.string, t.readonlyArray(t.string)]))

/** One side of a conflict: its fields, or `deleted`. `modifiedAt`: RFC 3339, when the side tells it. */
const SideVersion = t.union([
  t.intersection([t.type({ is: t.literal('present'), fields: FieldsCodec }), t.partial({ modifiedAt: t.string })]),
  t.intersection([t.type({ is: t.literal('deleted') }), t.partial({ deletedAt: t.string })]),
])

export const ConflictItem = t.intersection([
  t.type({ key: t.string, source: SideVersion, destination: SideVersion }),
  /** Per-field digests of the last agreed version; absent on a first meeting. */
  t.partial({ base: FieldHashesCodec }),
])
export type ConflictItem = t.TypeOf<typeof ConflictItem>

export const ConflictQuestion = contract('conflict-question.1', t.type({
  conn: ConnectionId,
  flow: FlowId,
  run: t.string,
  kind: RecordKind,
  strategy: Strategy,
  tie: t.keyof({ source: null, destination: null }),
  deleteWins: t.boolean,
  entitled: t.boolean,
  items: t.array(ConflictItem),
}))
export type ConflictQuestion = t.TypeOf<typeof ConflictQuestion.codec>

/** Who won a field and by which rule; both values stay with the worker, which archives them. */
export const FieldProvenance = t.type({
  field: t.string,
  rule: t.string,
  winner: t.keyof({ source: null, destination: null, both: null, merged: null }),
})

/** `take` names the version that both sides shall show; `hold` leaves both alone for a person. */
export const ConflictDecision = t.intersection([
  t.type({
    key: t.string,
    take: t.keyof({ source: null, destination: null, merged: null, hold: null }),
    rule: t.string,
  }),
  t.partial({ fields: FieldsCodec, provenance: t.array(FieldProvenance) }),
])
export type ConflictDecision = t.TypeOf<typeof ConflictDecision>

export const ConflictAnswer = contract('conflict-answer.1', t.type({ decisions: t.array(ConflictDecision) }))
export type ConflictAnswer = t.TypeOf<typeof ConflictAnswer.codec>
