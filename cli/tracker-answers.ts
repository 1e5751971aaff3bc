/** Knows what the command line reads in the tracker's answers about dead letters (docs/protocol.md); the rest is passed on. */
import * as t from 'io-ts'
import { reportOf } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, type Refusal } from './refusal.ts'

const DeadLine = t.intersection([
  t.type({ seq: t.number, connection: t.string, type: t.string, stored_at: t.union([t.string, t.null]), why: t.string }),
  t.partial({ run: t.union([t.string, t.null]), attempts: t.number, flow: t.string, key: t.string, side: t.string, mend: t.union([t.string, t.null]), error_class: t.union([t.string, t.null]), error_code: t.union([t.string, t.null]), edited: t.boolean, last_error: t.union([t.string, t.null]) }),
])
export type DeadLine = t.TypeOf<typeof DeadLine>

export const DeadList = t.type({ dead: t.array(DeadLine), more: t.boolean })

const Attempt = t.type({ attempt: t.number, at: t.number, error: t.string })
export const DeadWhole = t.intersection([
  DeadLine,
  t.partial({
    letter: t.intersection([t.type({ body: t.string, attempts: t.array(Attempt) }), t.partial({ writtenBy: t.string, edits: t.array(t.intersection([t.type({ at: t.number, was: t.unknown }), t.partial({ by: t.string, reason: t.string })])), traceId: t.string, cursorsBefore: t.record(t.string, t.union([t.string, t.null])), error: t.partial({ mend: t.string }) })]),
    request: t.unknown,
    record: t.partial({ remoteId: t.string, version: t.union([t.string, t.null]), code: t.string, mend: t.string }),
  }),
])
export type DeadWhole = t.TypeOf<typeof DeadWhole>

export const Redriven = t.intersection([t.type({ redriven: t.number, connection: t.string, run: t.string }), t.partial({ note: t.string })])
const RedrivenRun = t.intersection([t.type({ connection: t.string, run: t.string, redriven: t.array(t.number) }), t.partial({ note: t.string })])
const NotRedriven = t.intersection([t.type({ seqs: t.array(t.number), code: t.number, message: t.string }), t.partial({ mend: t.string })])
export const RedrivenMany = t.type({ runs: t.array(RedrivenRun), refused: t.array(NotRedriven) })
export type RedrivenMany = t.TypeOf<typeof RedrivenMany>
export const Edited = t.intersection([t.type({ edited: t.number, seq: t.number, connection: t.string }), t.partial({ note: t.string })])
export const Discarded = t.type({ discarded: t.number, connection: t.string })

/** A tracker of another version may answer otherwise. */
export const readAnswer = <A>(codec: t.Type<A, unknown>, answer: unknown): E.Either<Refusal, A> =>
  E.mapLeft((errors: t.Errors) => refusal(exitCodes.failed, `the tracker's answer is not understood: ${reportOf(errors).join('; ')}`, 'run the same version of both'))(codec.decode(answer))
