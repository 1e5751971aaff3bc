import { describe, expect, it } from 'vitest'
import type { Action, Call } from '#libs/resilience/call.ts'
import { httpFailure, httpRow, httpTable, type BodyHint } from '#libs/resilience/http-failure.ts'

const now = Date.UTC(2026, 10, 21, 12)
const get: Call = { method: 'GET', idempotent: true, sent: true, subject: 'item' }
const list: Call = { ...get, subject: 'list' }
const collection: Call = { ...get, subject: 'collection' }
const put: Call = { method: 'PUT', idempotent: true, sent: true, subject: 'item' }
const post: Call = { ...put, method: 'POST', idempotent: false }
const batch: Call = { ...post, items: 40 }
const remove: Call = { ...put, method: 'DELETE' }
const token: Call = { ...post, subject: 'token' }

type More = { readonly hint?: BodyHint; readonly headers?: Record<string, string> }
type Case = readonly [row: string, status: number, call: Call, action: Action, counts: boolean, more?: More]

/** The rows of SYNC.md §D.2, at least one case each; `row` is the row of our table that answers. */
const cases: ReadonlyArray<Case> = [
  ['2xx, unreadable', 200, list, 'again', true, { hint: 'unreadable' }],
  ['2xx, always', 200, list, 'ok', false],
  ['2xx, always', 201, post, 'ok', false],
  ['2xx, always', 204, remove, 'ok', false],
  ['2xx, always', 207, list, 'ok', false],
  ['301 307 308, always', 301, get, 'follow', false],
  ['301 307 308, always', 308, put, 'follow', false],
  ['302 303, a write', 302, put, 'person', false],
  ['302 303, always', 303, get, 'follow', false],
  ['304, always', 304, list, 'unchanged', false],
  ['400, expired-cursor', 400, list, 'resync', false, { hint: 'expired-cursor' }],
  ['400 401, invalid-grant', 400, token, 'reread-token', false, { hint: 'invalid-grant' }],
  ['401, asking for a token', 401, token, 'person', false],
  ['401, always', 401, list, 'refresh', false],
  ['402 451, always', 402, get, 'person', false],
  ['402 451, always', 451, list, 'person', false],
  ['403, rate-limit', 403, post, 'defer', false, { hint: 'rate-limit' }],
  ['403, about an item', 403, put, 'item', false],
  ['403, always', 403, list, 'person', false],
  ['404 410, deleting an item', 404, remove, 'ok', false],
  ['404 410, deleting an item', 410, remove, 'ok', false],
  ['404 410, reading an item', 404, get, 'gone', false],
  ['404 410, about an item', 404, put, 'replan', false],
  ['410, about a list', 410, list, 'resync', false],
  ['404 410, always', 404, list, 'person', false],
  ['404 410, always', 404, collection, 'person', false],
  ['405 415 501, always', 405, list, 'downgrade', false],
  ['405 415 501, always', 501, put, 'downgrade', false],
  ['408, a write', 408, put, 'read-back', true],
  ['408, always', 408, get, 'inline', true],
  ['409, duplicate', 409, post, 'adopt', false, { hint: 'duplicate' }],
  ['409 412, about an item', 412, put, 'replan', false],
  ['409 412, about an item', 409, put, 'replan', false],
  ['400 413 414 422 431, several items', 413, batch, 'split', false],
  ['400 413 414 422 431, several items', 422, batch, 'split', false],
  ['400 413 414 422 431, about an item', 400, put, 'item', false],
  ['400 413 414 422 431, about an item', 413, put, 'item', false],
  ['400 413 414 422 431, about an item', 422, put, 'item', false],
  ['423 425, always', 423, put, 'defer', false],
  ['429, always', 429, list, 'defer', false],
  ['500, safe to repeat', 500, get, 'inline', true],
  ['500, safe to repeat', 500, put, 'inline', true],
  ['500, always', 500, post, 'read-back', true],
  ['507, a write', 507, put, 'stop-writes', false],
  ['507, always', 507, get, 'person', false],
  ['502 503 504 5xx, a write', 503, put, 'read-back', true],
  ['502 503 504 5xx, a write', 502, post, 'read-back', true],
  ['502 503 504 5xx, asked to wait', 503, list, 'defer', true, { headers: { 'retry-after': '120' } }],
  ['502 503 504 5xx, asked to wait', 503, put, 'defer', true, { headers: { 'retry-after': '2' } }],
  ['502 503 504 5xx, always', 503, list, 'inline', true, { headers: { 'retry-after': '2' } }],
  ['502 503 504 5xx, always', 504, get, 'inline', true],
  ['502 503 504 5xx, always', 522, get, 'inline', true],
  ['4xx, about an item', 418, put, 'item', false],
  ['3xx 4xx, always', 400, list, 'person', false],
  ['3xx 4xx, always', 414, list, 'person', false],
  ['3xx 4xx, always', 300, list, 'person', false],
]

describe('an HTTP answer', () => {
  it.each(cases.map((one) => [`${one[0]}: ${one[1]} to ${one[2].method}`, one] as const))('%s', (_name, [row, status, call, action, countsForBreaker, more = {}]) => {
    const [statuses, when] = httpRow({ status, headers: {}, ...more }, call, Number(more.headers?.['retry-after'] ?? 0) * 1_000)
    expect(`${statuses}, ${when}`).toBe(row)
    expect(httpFailure({ status, headers: {}, ...more }, call, now)).toMatchObject({ action, countsForBreaker })
  })

  it('is looked up in a table with no row that nothing falls into', () => {
    expect(new Set(cases.map(([row]) => row))).toEqual(new Set(httpTable.map(([statuses, when]) => `${statuses}, ${when}`)))
  })

  it.each([99, 600, 999])('that is none (%i) is tried again', (status) => {
    expect(httpFailure({ status, headers: {} }, get, now)).toEqual({ action: 'again', countsForBreaker: true })
  })

  it('never counts for the breaker below 500, but for a request that timed out there', () => {
    for (const call of [get, list, collection, put, post, batch, remove, token])
      for (let status = 200; status < 500; status++)
        if (status !== 408) expect([status, httpFailure({ status, headers: {} }, call, now).countsForBreaker]).toEqual([status, false])
  })

  it('says what a person should do whenever only a person can help', () => {
    for (const call of [get, list, collection, put, post, remove, token])
      for (let status = 300; status < 600; status++) {
        const { action, mend } = httpFailure({ status, headers: {} }, call, now)
        if (['person', 'stop-writes', 'refresh', 'downgrade'].includes(action)) expect([status, mend]).not.toEqual([status, undefined])
      }
  })
})

describe('the wait before the next call', () => {
  const wait = (status: number, call: Call, more: More = {}) => httpFailure({ status, headers: {}, ...more }, call, now).wait

  it('is what the provider asked for, and up to a tenth more', () => {
    expect(wait(429, list, { headers: { 'retry-after': '3600' } })).toEqual([3_600_000, 3_960_000])
    expect(wait(503, list, { headers: { 'retry-after': '120' } })).toEqual([120_000, 132_000])
  })

  it('is told even when the call itself has to be read back: the account is left alone', () => {
    expect(wait(500, post, { headers: { 'retry-after': '120' } })).toEqual([120_000, 132_000])
  })

  it('is a minute when a limit was met and nothing was asked for', () => {
    expect(wait(429, list)?.[0]).toBe(60_000)
    expect(wait(403, list, { hint: 'rate-limit' })?.[0]).toBe(60_000)
    expect(wait(423, put)).toEqual([30_000, 60_000])
    expect(wait(500, get)).toBeUndefined()
  })
})
