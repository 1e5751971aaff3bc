import { describe, expect, it } from 'vitest'
import type { Action, Call } from '#libs/resilience/call.ts'
import { davFailure, davTable } from '#libs/resilience/dav-failure.ts'

const list: Call = { method: 'REPORT', idempotent: true, sent: true, subject: 'list' }
const item: Call = { ...list, subject: 'item' }
const put: Call = { ...item, method: 'PUT' }
const batch: Call = { ...put, method: 'POST', items: 20 }

const cases: ReadonlyArray<readonly [status: number, element: string | undefined, call: Call, action: Action]> = [
  [403, 'valid-sync-token', list, 'resync'], [409, 'valid-sync-token', list, 'resync'], [507, 'valid-sync-token', list, 'resync'],
  [403, 'number-of-matches-within-limits', list, 'more'], [507, undefined, list, 'more'], [507, 'number-of-matches-within-limits', list, 'more'],
  [409, 'no-uid-conflict', put, 'adopt'], [403, 'no-uid-conflict', put, 'adopt'],
  [507, 'quota-not-exceeded', put, 'stop-writes'], [403, 'sufficient-disk-space', put, 'stop-writes'], [507, undefined, put, 'stop-writes'],
  [403, 'supported-report', list, 'downgrade'],
  [403, 'valid-calendar-data', put, 'item'], [409, 'max-resource-size', put, 'item'], [403, 'valid-address-data', batch, 'split'],
  [403, 'need-privileges', put, 'person'], [403, 'need-privileges', list, 'person'],
  // What HTTP says, it says here too
  [403, undefined, put, 'item'], [403, undefined, list, 'person'], [404, undefined, list, 'person'], [404, undefined, item, 'gone'], [412, undefined, put, 'replan'],
  [423, undefined, put, 'defer'], [207, undefined, list, 'ok'],
]

describe('an answer of a DAV server', () => {
  it.each(cases)('%i %s: %o', (status, element, call, action) => {
    expect(davFailure({ status, headers: {}, ...(element === undefined ? {} : { element }) }, call, 0)).toMatchObject({ action, countsForBreaker: false })
  })

  it('is looked up in a table with no row that nothing falls into', () => {
    expect(new Set(cases.map(([, , , action]) => action))).toEqual(new Set([...davTable.map(([, , , action]) => action), 'ok', 'gone', 'replan', 'defer']))
  })

  it('counts for the breaker where HTTP counts', () => {
    expect(davFailure({ status: 503, headers: {} }, list, 0)).toMatchObject({ action: 'inline', countsForBreaker: true })
  })
})
