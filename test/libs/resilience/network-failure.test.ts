import { describe, expect, it } from 'vitest'
import { freePort } from '#libs/embedded/ports.ts'
import type { Action, Call } from '#libs/resilience/call.ts'
import { networkCode, networkFailure, networkTable } from '#libs/resilience/network-failure.ts'

const read: Call = { method: 'GET', idempotent: true, sent: true, subject: 'list' }
const readItem: Call = { ...read, subject: 'item' }
const unsent: Call = { method: 'PUT', idempotent: true, sent: false, subject: 'item' }
const sent: Call = { ...unsent, sent: true }

const cases: ReadonlyArray<readonly [code: string | undefined, call: Call, action: Action, counts: boolean]> = [
  ['ENOTFOUND', sent, 'inline', true], ['EAI_AGAIN', read, 'inline', true],
  ['ECONNREFUSED', sent, 'again', true], ['EHOSTUNREACH', unsent, 'again', true], ['ENETUNREACH', read, 'again', true],
  ['UND_ERR_CONNECT_TIMEOUT', sent, 'inline', true],
  ['ECONNRESET', sent, 'read-back', true], ['ECONNRESET', unsent, 'inline', true], ['ECONNRESET', read, 'inline', true],
  ['EPIPE', sent, 'read-back', true], ['UND_ERR_SOCKET', sent, 'read-back', true],
  ['UND_ERR_HEADERS_TIMEOUT', sent, 'read-back', true], ['UND_ERR_BODY_TIMEOUT', read, 'inline', true], ['TIMEOUT_ERR', sent, 'read-back', true],
  ['ETIMEDOUT', unsent, 'inline', true],
  ['CERT_HAS_EXPIRED', sent, 'person', false], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', read, 'person', false],
  ['SELF_SIGNED_CERT_IN_CHAIN', sent, 'person', false], ['DEPTH_ZERO_SELF_SIGNED_CERT', read, 'person', false], ['ERR_TLS_CERT_ALTNAME_INVALID', read, 'person', false],
  ['EPROTO', read, 'person', false],
  ['TOO_LARGE', readItem, 'item', false], ['TOO_LARGE', read, 'person', false], ['UND_ERR_RES_EXCEEDED_MAX_SIZE', readItem, 'item', false],
  ['ABORT_ERR', sent, 'hand-back', false], ['UND_ERR_ABORTED', read, 'hand-back', false],
  ['ERR_INVALID_URL', read, 'bug', false],
  ['EWHATEVER', sent, 'read-back', true], ['EWHATEVER', read, 'inline', true], [undefined, sent, 'read-back', true], [undefined, unsent, 'inline', true],
]

describe('a line that breaks', () => {
  it.each(cases)('%s: %o', (code, call, action, countsForBreaker) => {
    expect(networkFailure(code, call)).toMatchObject({ action, countsForBreaker })
  })

  it('is looked up in a table with no row that nothing falls into', () => {
    const reached = new Set(cases.map(([code, call]) => networkFailure(code, call)).map(({ action, countsForBreaker }) => `${action} ${countsForBreaker}`))
    expect(reached).toEqual(new Set(networkTable.map(([, , action, breaker]) => `${action} ${breaker === 'counts'}`)))
  })

  it('says of an untrusted certificate what to do about it', () => {
    expect(networkFailure('CERT_HAS_EXPIRED', read).mend).toMatch(/fingerprint/)
  })
})

describe('the code of what was thrown', () => {
  it('is found where fetch hides it', async () => {
    const thrown: unknown = await fetch(`http://127.0.0.1:${await freePort('127.0.0.1')}/`).catch((cause: unknown) => cause)
    expect(networkCode(thrown)).toBe('ECONNREFUSED')
  })

  it('is that of an abort or of a timeout by their names', () => {
    expect(networkCode(AbortSignal.abort().reason)).toBe('ABORT_ERR')
    expect(networkCode(new DOMException('late', 'TimeoutError'))).toBe('TIMEOUT_ERR')
    expect(networkCode(new TypeError('fetch failed', { cause: AbortSignal.abort().reason }))).toBe('ABORT_ERR')
  })

  it('is nothing when nothing tells', () => {
    expect(networkCode(new Error('what?'))).toBeUndefined()
    expect(networkCode('what?')).toBeUndefined()
    const circular = new Error('round')
    circular.cause = circular
    expect(networkCode(circular)).toBeUndefined()
  })
})
