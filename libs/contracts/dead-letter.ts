/**
 * On `sync.dead.<conn>`: said by the sync-worker (and by the tracker when a worker died on its last attempt), heard by
 * the tracker and the CLI. A dead letter is a work item given up on, kept whole; a parked record is one item set aside.
 */
import * as t from 'io-ts'
import { SyncFailure } from '../domain/failure.ts'
import { contract } from './decode.ts'
import { RedriveWish } from './redrive-wish.ts'

const Attempt = t.type({ attempt: t.number, at: t.number, error: t.string })

export const DeadLetter = contract('dead-letter.1', t.intersection([
  t.type({
    conn: t.string,
    stream: t.string,
    seq: t.number,
    /** The message as it was: its text when it is UTF-8, else base64, and `bodyBase64` says so. */
    body: t.string,
    headers: t.record(t.string, t.string),
    attempts: t.array(Attempt),
    at: t.number,
    why: t.string,
  }),
  t.partial({
    run: t.string,
    bodyBase64: t.boolean,
    error: SyncFailure,
    fence: t.number,
    traceId: t.string,
    cursorsBefore: t.record(t.string, t.union([t.string, t.null])),
    writtenBy: t.keyof({ worker: null, tracker: null, scheduler: null }),
    redriveOf: t.number,
    /** Edited by a person: what a redrive asks for, instead of what `body` says, which stays as it came. */
    request: RedriveWish,
    /** Oldest first; `was`: what a redrive would have asked for before. */
    edits: t.array(t.intersection([t.type({ at: t.number, was: RedriveWish }), t.partial({ by: t.string, reason: t.string })])),
  }),
]))
export type DeadLetter = t.TypeOf<typeof DeadLetter.codec>

/** No field values: the item stays at its side; `version` lets a later run see that it was mended. */
export const ParkedRecord = contract('parked-record.1', t.intersection([
  t.type({
    conn: t.string,
    flow: t.string,
    run: t.string,
    key: t.string,
    side: t.keyof({ source: null, destination: null }),
    why: t.string,
    at: t.number,
  }),
  t.partial({ remoteId: t.string, version: t.union([t.string, t.null]), code: t.string, mend: t.string }),
]))
export type ParkedRecord = t.TypeOf<typeof ParkedRecord.codec>
