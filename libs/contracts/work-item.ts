/**
 * Said by the scheduler, heard by the sync-worker, on `sync.work.<lane>.<conn>`. It carries no data of the sides:
 * "sync connection c" is idempotent (SYNC.md §0 rule 1).
 */
import * as t from 'io-ts'
import { ConnectionId, FlowId, RunId } from '../domain/ids.ts'
import { contract } from './decode.ts'

export const RunMode = t.keyof({ auto: null, full: null })

/** What a run does instead of a sync, or beside it: only an operator may ask for it (SYNC.md §S14). */
export const OperatorWish = t.partial({
  /** `cursor`: forget where the sides were read to, so that the next run compares everything; `links`: forget what is linked too. */
  reset: t.keyof({ cursor: null, links: null }),
  /** Only this flow is reset. */
  flow: FlowId,
  /** Id of the run to take back. */
  undo: t.string,
  /** Sequence in SYNC_ARCHIVE of the version an operator wants back. */
  restore: t.number,
  /** Who asked, as the asker's program says. */
  by: t.string,
})
export type OperatorWish = t.TypeOf<typeof OperatorWish>

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
  }),
  OperatorWish,
]))
export type WorkItem = t.TypeOf<typeof WorkItem.codec>
