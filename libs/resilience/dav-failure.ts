/**
 * Knows what CalDAV and CardDAV servers mean by the element inside `DAV:error` (RFC 4791, 4918, 6352, 6578): the DAV rows
 * of SYNC.md §D.2, read from the top; anything else means what it means in HTTP. Pure. The status of one item inside a 207
 * is asked about as an answer of its own, with the subject `item`.
 */
import { circumstances, type Action, type Call, type Circumstance, type Treatment } from './call.ts'
import { httpFailure, isOneOf, type HttpAnswer } from './http-failure.ts'

/** `element`: local name of the first element inside `DAV:error`, such as `valid-sync-token`. */
export type DavAnswer = HttpAnswer & { readonly element?: string }

type Row = readonly [status: string, element: string, when: Circumstance, action: Action, mend?: string]

const full = 'make room at the provider: the quota of this account is used up'

/** Preconditions of RFC 4791 §5.3.2.1 and RFC 6352 §6.3.2.1 that speak of what one item holds. */
const badContent = [
  'valid-calendar-data', 'valid-address-data', 'valid-calendar-object-resource', 'supported-calendar-data', 'supported-address-data',
  'supported-calendar-component', 'max-resource-size', 'min-date-time', 'max-date-time', 'max-instances', 'max-attendees-per-instance',
].join(' ')

/** None counts for the breaker: the server answered. `*`: any element, or none. */
export const davTable: ReadonlyArray<Row> = [
  ['4xx 507', 'valid-sync-token', 'always', 'resync'],
  ['403 507', 'number-of-matches-within-limits', 'about a list', 'more'],
  ['507', '*', 'about a list', 'more'], // RFC 6578 §3.6: the rest comes with the returned token
  ['4xx', 'no-uid-conflict', 'always', 'adopt'],
  ['4xx 507', 'quota-not-exceeded sufficient-disk-space', 'a write', 'stop-writes', full],
  ['4xx', 'supported-report supported-filter supported-collation', 'always', 'downgrade', 'this server cannot do what the connector asks'],
  ['4xx', badContent, 'several items', 'split'],
  ['4xx', badContent, 'a write', 'item'],
  ['4xx', 'need-privileges', 'a write', 'person', 'grant the account the right to write to this collection, or make the flow one-way'],
  ['4xx', 'need-privileges', 'always', 'person', 'grant the account the right to read this collection'],
]

export const davFailure = (answer: DavAnswer, call: Call, nowMs: number): Treatment => {
  const row = davTable.find(([statuses, elements, when]) =>
    isOneOf(answer.status, statuses) && (elements === '*' || elements.split(' ').includes(answer.element ?? '')) && circumstances[when](call))
  if (row === undefined) return httpFailure(answer, call, nowMs)
  const [, , , action, mend] = row
  return { action, countsForBreaker: false, ...(mend === undefined ? {} : { mend }) }
}
