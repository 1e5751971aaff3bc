/**
 * On `sync.audit.<conn>`, stream `SYNC_AUDIT`, kept for a year: what a person had done, who it was, and why (R 15.6). Said
 * before it is done, so that nothing is deleted unsaid; one that was broken off in between is said, and done when repeated.
 */
import * as t from 'io-ts'
import { contract } from './decode.ts'

export const AuditAct = t.keyof({
  /** Checkpoints and links forgotten. */
  reset: null,
  /** What a run did, taken back. */
  undo: null,
  restore: null,
  hold: null,
  release: null,
  delete: null,
  /** What was remembered of a connection that is gone, or is older than it is kept. */
  cleanup: null,
  redrive: null,
  discard: null,
  edit: null,
})
export type AuditAct = t.TypeOf<typeof AuditAct>

export const AuditRecord = contract('audit-record.1', t.intersection([
  t.type({
    /** `all` where it belongs to no one connection. */
    conn: t.string,
    act: AuditAct,
    /** ms since the epoch. */
    at: t.number,
    /** One sentence: what, and how much of it. */
    what: t.string,
  }),
  t.partial({
    /** Who asked, as the command line was told (`USER`); not proven. */
    by: t.string,
    /** Why, in the asker's words. */
    reason: t.string,
    run: t.string,
    /** Sequence of the dead letter, or of the archived version. */
    seq: t.number,
    /** How many entries, items or letters. */
    count: t.number,
  }),
]))
export type AuditRecord = t.TypeOf<typeof AuditRecord.codec>
