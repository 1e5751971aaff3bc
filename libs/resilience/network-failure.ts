/**
 * Knows what it means for the run when a line breaks before there is an answer: the network rows of SYNC.md §D.2, by the
 * codes of Node, OpenSSL and undici, read from the top. Pure.
 */
import { circumstances, type Action, type Call, type Circumstance, type Treatment } from './call.ts'

type Row = readonly [codes: string, when: Circumstance, action: Action, breaker: 'counts' | '-', mend?: string]

const trust = 'compare the fingerprint of the certificate with the provider\'s; give the server one that this machine trusts. It is never accepted unchecked'
const tooLarge = 'the answer is larger than we take: read less at once, or narrow the collection'

export const networkTable: ReadonlyArray<Row> = [
  // We ended it: shutdown, cancel, deadline of the run
  ['ABORT_ERR UND_ERR_ABORTED', 'always', 'hand-back', '-'],
  // Names
  ['ENOTFOUND EAI_AGAIN EAI_NODATA', 'always', 'inline', 'counts'],
  // Nobody there: nothing was sent, whatever the method
  ['ECONNREFUSED EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN EADDRNOTAVAIL', 'always', 'again', 'counts'],
  ['UND_ERR_CONNECT_TIMEOUT', 'always', 'inline', 'counts'],
  // Who is there is not who it should be
  ['CERT_HAS_EXPIRED CERT_NOT_YET_VALID CERT_REVOKED CERT_UNTRUSTED CERT_REJECTED CERT_SIGNATURE_FAILURE CERT_CHAIN_TOO_LONG', 'always', 'person', '-', trust],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'always', 'person', '-', trust],
  ['SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT HOSTNAME_MISMATCH ERR_TLS_CERT_ALTNAME_INVALID', 'always', 'person', '-', trust],
  ['EPROTO ERR_SSL_WRONG_VERSION_NUMBER ERR_TLS_PROTOCOL_VERSION_CONFLICT', 'always', 'person', '-', 'the server does not speak TLS 1.2 or later at this address: correct the address or the server'],
  // An answer that is not taken
  ['TOO_LARGE UND_ERR_RES_EXCEEDED_MAX_SIZE UND_ERR_HEADERS_OVERFLOW HPE_HEADER_OVERFLOW ERR_BUFFER_TOO_LARGE', 'about an item', 'item', '-'],
  ['TOO_LARGE UND_ERR_RES_EXCEEDED_MAX_SIZE UND_ERR_HEADERS_OVERFLOW HPE_HEADER_OVERFLOW ERR_BUFFER_TOO_LARGE', 'always', 'person', '-', tooLarge],
  // Called wrongly
  ['UND_ERR_INVALID_ARG UND_ERR_REQ_CONTENT_LENGTH_MISMATCH UND_ERR_NOT_SUPPORTED ERR_INVALID_URL ERR_INVALID_ARG_TYPE ERR_INVALID_CHAR', 'always', 'bug', '-'],
  // ECONNRESET, EPIPE, ETIMEDOUT, UND_ERR_SOCKET, timeouts of headers and body, TIMEOUT_ERR, HPE_…: a line that broke, as
  // does any code not named here
  ['*', 'a write that was sent', 'read-back', 'counts'],
  ['*', 'always', 'inline', 'counts'],
]

/** `code` as networkCode finds it. */
export const networkFailure = (code: string | undefined, call: Call): Treatment => {
  const row = networkTable.find(([codes, when]) => (codes === '*' || codes.split(' ').includes(code ?? '')) && circumstances[when](call))
  const [, , action, breaker, mend] = row ?? ['*', 'always', 'again', 'counts']
  return { action, countsForBreaker: breaker === 'counts', ...(mend === undefined ? {} : { mend }) }
}

/** The code of what `fetch`, undici or a socket threw: `fetch` hides it in the cause, an abort and a timeout in the name. */
export const networkCode = (thrown: unknown): string | undefined => {
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause.name === 'AbortError') return 'ABORT_ERR'
    if (cause.name === 'TimeoutError') return 'TIMEOUT_ERR'
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return undefined
}
