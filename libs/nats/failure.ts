/** Knows every way NATS can refuse, as a closed union. Does not know what the caller wanted to do. */
import { JetStreamApiError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'

export type NatsFailure =
  | { readonly is: 'wrong-sequence'; readonly lastSequence?: number }
  | { readonly is: 'write-in-flight' }
  | { readonly is: 'subject-full' }
  | { readonly is: 'batch-incomplete'; readonly at: 'first' | 'commit' }
  | { readonly is: 'no-responders'; readonly subject?: string }
  /** Unknown outcome: it may have been stored, and may still be. */
  | { readonly is: 'timeout'; readonly subject?: string }
  | { readonly is: 'not-found'; readonly what: string }
  | { readonly is: 'denied'; readonly message: string; readonly subject?: string }
  | { readonly is: 'too-large'; readonly message: string; readonly bytes?: number; readonly maxBytes?: number }
  /** Not sent: there was no connection at that moment. */
  | { readonly is: 'disconnected' }
  | { readonly is: 'bad-message'; readonly report: string }
  | { readonly is: 'service-error'; readonly code: number; readonly message: string }
  | { readonly is: 'old-server'; readonly found: string; readonly needed: string }
  | { readonly is: 'other'; readonly message: string; readonly cause?: unknown }

/** What the server calls an error, in a publish acknowledgement or an API answer. */
export type ServerError = { readonly err_code?: number; readonly code?: number; readonly description?: string }

export const failureOfServerError = (error: ServerError): NatsFailure => {
  const description = error.description ?? 'no description'
  switch (error.err_code) {
    case 10071: {
      const last = /(\d+)$/.exec(description)?.[1]
      return last === undefined ? { is: 'wrong-sequence' } : { is: 'wrong-sequence', lastSequence: Number(last) }
    }
    case 10164:
      return { is: 'write-in-flight' }
    case 10077:
      // 10077 covers every refusal of the store (full disk, other limits); only this one means "already queued"
      return description.includes('per subject') ? { is: 'subject-full' } : other(`store refused: ${description}`, error)
    case 10176:
      return { is: 'batch-incomplete', at: 'commit' }
    case 10054:
      return { is: 'too-large', message: description }
    case 10014:
    case 10037:
    case 10059:
      return { is: 'not-found', what: description }
    case 10008:
      return { is: 'no-responders' }
    default:
      return other(`${description} (${error.err_code ?? error.code ?? 'no code'})`, error)
  }
}

/** Turns whatever the client library threw into a failure. */
export const natsFailureOf = (cause: unknown): NatsFailure => {
  if (!(cause instanceof Error)) return other(String(cause), cause)
  if (cause instanceof JetStreamApiError) return failureOfServerError(cause.apiError())
  if (cause instanceof errors.TimeoutError) return { is: 'timeout' }
  if (cause instanceof errors.NoRespondersError) return { is: 'no-responders', subject: cause.subject }
  if (cause instanceof errors.PermissionViolationError) return { is: 'denied', message: cause.message, subject: cause.subject }
  if (cause instanceof errors.AuthorizationError) return { is: 'denied', message: cause.message }
  if (cause instanceof errors.UserAuthenticationExpiredError) return { is: 'denied', message: cause.message }
  if (cause instanceof errors.ClosedConnectionError) return { is: 'disconnected' }
  if (cause instanceof errors.DrainingConnectionError) return { is: 'disconnected' }
  if (cause instanceof errors.InvalidArgumentError && cause.message.includes('max_payload'))
    return { is: 'too-large', message: cause.message }
  // JetStreamNotEnabled and RequestError say what happened in their cause
  if (cause.cause instanceof Error) return natsFailureOf(cause.cause)
  // a request cut off by the end of its connection may have been stored before it
  if (cause.message.includes('connection closed')) return { is: 'timeout' }
  return other(cause.message, cause)
}

export const describeNatsFailure = (failure: NatsFailure): string => {
  switch (failure.is) {
    case 'wrong-sequence':
      return `somebody else wrote first${failure.lastSequence === undefined ? '' : ` (last sequence ${failure.lastSequence})`}`
    case 'write-in-flight':
      return 'another write to the same subject is in flight'
    case 'subject-full':
      return 'the subject already holds as many messages as it may'
    case 'batch-incomplete':
      return failure.at === 'first' ? 'the server took no new batch' : 'the batch did not arrive whole; it may not be stored'
    case 'no-responders':
      return `nobody answers${failure.subject === undefined ? '' : ` on ${failure.subject}`}`
    case 'timeout':
      return `no answer in time${failure.subject === undefined ? '' : ` on ${failure.subject}`}; the outcome is unknown`
    case 'not-found':
      return failure.what
    case 'denied':
      return `not permitted: ${failure.message}`
    case 'too-large':
      return failure.bytes === undefined
        ? `too large: ${failure.message}`
        : `${failure.bytes} bytes are too large${failure.maxBytes === undefined ? '' : `; the server takes ${failure.maxBytes}`}`
    case 'disconnected':
      return 'not connected to NATS; nothing was sent'
    case 'bad-message':
      return `unreadable: ${failure.report}`
    case 'service-error':
      return `the service answered ${failure.code}: ${failure.message}`
    case 'old-server':
      return `nats-server ${failure.found} is too old; ${failure.needed} or later is needed`
    case 'other':
      return failure.message
  }
}

export const other = (message: string, cause?: unknown): NatsFailure => ({ is: 'other', message, cause })
