/** Said by the sync-worker on `sync.progress.<conn>` (core NATS, at most 4 per second per run); heard by tracker and CLI. */
import * as t from 'io-ts'
import { ConnectionId } from '../domain/ids.ts'
import { contract } from './decode.ts'
import { Counts } from './result.ts'

export const Progress = contract('progress.1', t.intersection([
  t.type({
    conn: ConnectionId,
    run: t.string,
    state: t.keyof({ 'in-progress': null, retrying: null, deferred: null }),
    attempt: t.number,
    at: t.number,
    startedAt: t.number,
  }),
  t.partial({
    flow: t.string,
    step: t.keyof({ reading: null, planning: null, resolving: null, writing: null, committing: null }),
    counts: Counts,
    /** With `retrying` or `deferred`: when the next attempt is due, ms since the epoch. */
    nextAttemptAt: t.number,
    error: t.string,
  }),
]))
export type Progress = t.TypeOf<typeof Progress.codec>
