/**
 * Said by anybody (`nats pub sync.request.<conn> ''`, CLI, worker's deferral, redrive), heard by the scheduler.
 * Untrusted: nothing in it can force, approve, change the lane or name another connection (SYNC.md S14).
 */
import * as t from 'io-ts'
import { RunId } from '../domain/ids.ts'
import { contract } from './decode.ts'
import { RunMode } from './work-item.ts'

/** An empty body means `{}`: one plain run, as soon as possible. */
export const SyncRequest = contract('request.1', t.partial({
  mode: RunMode,
  dryRun: t.boolean,
  /** ms since the epoch, or an RFC 3339 time: not before this. */
  notBefore: t.union([t.number, t.string]),
  reason: t.string,
  cause: t.keyof({ manual: null, deferral: null, redrive: null, first: null }),
  /** Run id to use, so that the asker can follow it. */
  run: RunId,
  /** Sequence of the dead letter this redrives. */
  redriveOf: t.number,
}))
export type SyncRequest = t.TypeOf<typeof SyncRequest.codec>
