/** On `sync.alert.<conn>` (core NATS, not stored): said by the tracker, heard by whoever wakes people up. */
import * as t from 'io-ts'
import { contract } from './decode.ts'

export const AlertKind = t.keyof({
  /** A work item was given up on; `seq` is its place in SYNC_DEAD. */
  'dead-letter': null,
  /** A work item was terminated and no dead letter of it can be found: its content is lost. */
  'dead-letter-missing': null,
  /** Work items that block their connections were found and cannot be told from ones that wait (NATS.md §5.6). */
  'work-stuck': null,
  'fence-regress': null,
  held: null,
  'bad-message': null,
  /** What a person did by the API: kept here and in the log (R 9.7, 15.6). */
  redriven: null,
  discarded: null,
  edited: null,
  'history-cleared': null,
})
export type AlertKind = t.TypeOf<typeof AlertKind>

export const Alert = contract('alert.1', t.intersection([
  t.type({
    /** `unknown` where the trouble belongs to no connection. */
    conn: t.string,
    kind: AlertKind,
    message: t.string,
    /** ms since the epoch. */
    at: t.number,
  }),
  t.partial({
    run: t.string,
    /** Sequence in the stream the message speaks of. */
    seq: t.number,
    /** What the person should do next. */
    mend: t.string,
    /** What the person gave as the reason of a redrive or a discard. */
    reason: t.string,
    count: t.number,
  }),
]))
export type Alert = t.TypeOf<typeof Alert.codec>
