/**
 * Said by the scheduler, heard by the sync-worker, on `sync.work.<lane>.<conn>`. It carries no data of the sides:
 * "sync connection c" is idempotent (SYNC.md §0 rule 1).
 */
import * as t from 'io-ts'
import { ConnectionId, RunId } from '../domain/ids.ts'
import { contract } from './decode.ts'

export const RunMode = t.keyof({ auto: null, full: null })

export const WorkItem = contract('work-item.1', t.intersection([
  t.type({
    conn: ConnectionId,
    run: RunId,
    /** Random id, the same over redeliveries: the dedupe id of a deferral, not guessable (NATS.md §6.2). */
    trigger: t.string,
    cause: t.keyof({ tick: null, first: null, manual: null, deferral: null, redrive: null }),
    lane: t.keyof({ hot: null, cold: null }),
    /** Revision of the connection document the scheduler saw; a worker with an older copy reads again. */
    revision: t.number,
    /** ms since the epoch. */
    askedAt: t.number,
  }),
  t.partial({
    /** Nominal time of the slot, ms since the epoch. */
    slot: t.number,
    requestSeq: t.number,
    mode: RunMode,
    dryRun: t.boolean,
    reason: t.string,
    redriveOf: t.number,
    /** Plan hash a person approved. */
    approved: t.string,
    /** Sequence in SYNC_ARCHIVE of the version an operator wants back. */
    restore: t.number,
  }),
]))
export type WorkItem = t.TypeOf<typeof WorkItem.codec>
