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
    /** Rule by which the conflict resolver decided, with its provenance. */
    rule: t.string,
    provenance: t.array(t.type({ field: t.string, rule: t.string, winner: t.string })),
  }),
]))
export type ArchivedVersion = t.TypeOf<typeof ArchivedVersion.codec>
