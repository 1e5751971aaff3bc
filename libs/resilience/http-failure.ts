/**
 * Knows what an HTTP answer means for the run: SYNC.md §D.2 as one table, read from the top, first row that fits. Pure.
 * Does not know DAV (dav-failure.ts) nor lines that break (network-failure.ts).
 */
import { inlineBackoff } from './backoff.ts'
import { circumstances, type Action, type Call, type Circumstance, type Treatment } from './call.ts'
import { retryAfterMs } from './retry-after.ts'

/** What the body says beyond the status, in one word (body-hint.ts finds it). */
export type BodyHint =
  /** Not what was asked for: cut off, not JSON, a login page. Never an empty list. */
  | 'unreadable'
  | 'rate-limit' | 'expired-cursor' | 'invalid-grant' | 'duplicate'

export type HttpAnswer = {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly hint?: BodyHint
}

type When = Circumstance | BodyHint | 'asked to wait'
type Row = readonly [status: string, when: When, action: Action, breaker: 'counts' | '-', more?: { readonly wait?: Treatment['wait']; readonly mend?: string }]

const look = 'look at what the provider answered, and at the options of the side'
const minute = 60_000

export const httpTable: ReadonlyArray<Row> = [
  ['2xx', 'unreadable', 'again', 'counts'], // 5 in a row end as a dead letter, which is the hold of D.2
  ['2xx', 'always', 'ok', '-'],
  ['301 307 308', 'always', 'follow', '-'],
  ['302 303', 'a write', 'person', '-', { mend: 'a portal or a login page stands before the provider: let this machine through' }],
  ['302 303', 'always', 'follow', '-'],
  ['304', 'always', 'unchanged', '-'],

  ['400', 'expired-cursor', 'resync', '-'],
  ['400 401', 'invalid-grant', 'reread-token', '-', { mend: 'connect the account again: its permission was withdrawn or has run out' }],
  ['401', 'asking for a token', 'person', '-', { mend: 'correct the client id and secret' }],
  ['401', 'always', 'refresh', '-', { mend: 'connect the account again: its credentials are refused' }],
  ['402 451', 'always', 'person', '-', { mend: 'settle it with the provider: it refuses this account for payment or legal reasons' }],
  ['403', 'rate-limit', 'defer', '-', { wait: [minute, 2 * minute] }],
  ['403', 'about an item', 'item', '-'],
  ['403', 'always', 'person', '-', { mend: 'grant the account the rights it lacks at the provider' }],

  ['404 410', 'deleting an item', 'ok', '-'], // somebody did it before us
  ['404 410', 'reading an item', 'gone', '-'],
  ['404 410', 'about an item', 'replan', '-'],
  ['410', 'about a list', 'resync', '-'],
  ['404 410', 'always', 'person', '-', { mend: 'the collection is not there: correct its address. It is never taken for "all deleted"' }],
  ['405 415 501', 'always', 'downgrade', '-', { mend: 'this server cannot do what the connector asks' }],
  ['408', 'a write', 'read-back', 'counts'],
  ['408', 'always', 'inline', 'counts'],
  ['409', 'duplicate', 'adopt', '-'],
  ['409 412', 'about an item', 'replan', '-'],
  ['400 413 414 422 431', 'several items', 'split', '-'],
  ['400 413 414 422 431', 'about an item', 'item', '-'],
  ['423 425', 'always', 'defer', '-', { wait: [minute / 2, minute] }],
  ['429', 'always', 'defer', '-', { wait: [minute, 1.1 * minute] }],

  ['500', 'safe to repeat', 'inline', 'counts'],
  ['500', 'always', 'read-back', 'counts'],
  ['507', 'a write', 'stop-writes', '-', { mend: 'make room at the provider: its storage is full' }],
  ['507', 'always', 'person', '-', { mend: 'make room at the provider: its storage is full' }],
  ['502 503 504 5xx', 'asked to wait', 'defer', 'counts'], // 520 to 530 of the proxies are as 502
  ['502 503 504 5xx', 'a write', 'read-back', 'counts'],
  ['502 503 504 5xx', 'always', 'inline', 'counts'],

  ['4xx', 'about an item', 'item', '-'],
  ['3xx 4xx', 'always', 'person', '-', { mend: look }],
]

/** `nowMs` is looked at only when a `Retry-After` date comes without a `Date`. */
export const httpFailure = (answer: HttpAnswer, call: Call, nowMs: number): Treatment => {
  const waitMs = retryAfterMs(answer.headers['retry-after'], answer.headers['date'], nowMs)
  const [, , action, breaker, more] = httpRow(answer, call, waitMs)
  const wait = waited(waitMs, more?.wait)
  return { action, countsForBreaker: breaker === 'counts', ...(wait === undefined ? {} : { wait }), ...(more?.mend === undefined ? {} : { mend: more.mend }) }
}

export const httpRow = (answer: HttpAnswer, call: Call, waitMs?: number): Row =>
  httpTable.find(([statuses, when]) => isOneOf(answer.status, statuses) && holds(when, answer, call, waitMs))
  ?? ['other', 'always', 'again', 'counts'] // outside 200 to 599: something that does not speak HTTP

export const isOneOf = (status: number, statuses: string): boolean =>
  statuses.split(' ').some((one) => one === String(status) || one === `${Math.floor(status / 100)}xx`)

const holds = (when: When, { hint }: HttpAnswer, call: Call, waitMs: number | undefined): boolean => {
  // What is over within the waits of an inline retry is not worth a deferral; a write is not retried inline.
  if (when === 'asked to wait') return waitMs !== undefined && waitMs > (circumstances['a write'](call) ? 0 : inlineBackoff.capMs)
  return when in circumstances ? circumstances[when as Circumstance](call) : when === hint
}

/** What the provider asked for stands before what we would take, and is spread by a tenth (SYNC.md §1.9). */
const waited = (askedMs: number | undefined, ours: Treatment['wait']): Treatment['wait'] =>
  askedMs === undefined ? ours : [askedMs, Math.ceil(askedMs + askedMs / 10)]
