/** What the conflict-resolver needs from the world. It asks nobody and remembers nothing, so this is only being watched. */
import type { Clock } from '#libs/clock.ts'
import type { E } from '#libs/fp.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Metrics } from '#libs/telemetry/metrics.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'

export type Ports = {
  readonly log: Log
  readonly tracer: Tracer
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'monotonic'>
}

/** `code` in the manner of HTTP: 400 bad question, 403 not entitled, 404 unknown strategy, 413 too large. */
export type Refusal = { readonly code: number; readonly message: string }

/** What stands behind the endpoint: never rejects for anything a caller can send. */
export type AnswerQuestion = (subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>) => Promise<E.Either<Refusal, Uint8Array>>
