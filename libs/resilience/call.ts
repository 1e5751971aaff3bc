/** Knows what the failure tables are asked about, and everything they can answer (SYNC.md §D.1). Knows no protocol. */

/** One request to an outside system. */
export type Call = {
  /** In capitals: GET, PUT, REPORT… */
  readonly method: string
  /** Doing it twice does no more than doing it once. */
  readonly idempotent: boolean
  /** Part of it may have left this machine. An answer proves that. */
  readonly sent: boolean
  readonly subject: 'item' | 'collection' | 'list' | 'token'
  /** Items it carries; with several the request can be split. Default 1. */
  readonly items?: number
}

export const actions = {
  ok: 'it went well; of a 207 the items still have statuses of their own',
  unchanged: 'what we have is what is there',
  more: 'the answer was cut off: read on from the token that came with it',
  follow: 'ask at the new address: at most 3 times, never with credentials to another origin',
  gone: 'the item is not there',
  replan: 'the item changed meanwhile: read it again and decide again, at most 3 times',
  adopt: 'an item of this identity exists: find it and adopt it, never delete and create again',
  split: 'halve the batch until the item at fault is alone',
  inline: 'try again at once, at most 3 tries, then as `again`',
  'read-back': 'the outcome is unknown: look before anything is written again',
  again: 'the work item comes again with a growing delay, and that counts an attempt',
  defer: 'the work item comes again after a time, and that costs no attempt',
  'hand-back': 'we ended it ourselves: the work goes back as it came',
  item: 'this item is parked, the rest goes on',
  resync: 'the cursor means nothing any more: list everything, with the links as the base',
  refresh: 'refresh the access token, one of us for all, and try once more; then a person',
  'reread-token': 'another worker may have rotated the token: read it again and try once more; then a person',
  downgrade: 'do without this ability of the server where that is possible; else a person',
  'stop-writes': 'no more writes to this side, reads go on; a person',
  person: 'nothing helps but a person',
  bug: 'a fault of ours',
} as const
export type Action = keyof typeof actions

export type Treatment = {
  readonly action: Action
  /** A failure of the provider itself, which opens its circuit breaker when it repeats. Never a 4xx, never our own abort. */
  readonly countsForBreaker: boolean
  /** Nobody is to call this account before: at least, at most, in ms from now. */
  readonly wait?: readonly [leastMs: number, mostMs: number]
  /** What the person should do. */
  readonly mend?: string
}

/** Methods that change nothing: they are repeated without a look at what they did. */
const reading = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT', 'SEARCH'])

/** The circumstances by which a table tells one signal's meanings apart. */
export const circumstances = {
  always: () => true,
  'a write': ({ method }) => !reading.has(method),
  'a write that was sent': ({ method, sent }) => sent && !reading.has(method),
  'safe to repeat': ({ method, idempotent }) => idempotent || reading.has(method),
  'several items': ({ items = 1 }) => items > 1,
  'about an item': ({ subject }) => subject === 'item',
  'reading an item': ({ method, subject }) => subject === 'item' && reading.has(method),
  'deleting an item': ({ method, subject }) => subject === 'item' && method === 'DELETE',
  'about a list': ({ subject }) => subject === 'list',
  'asking for a token': ({ subject }) => subject === 'token',
} satisfies Readonly<Record<string, (call: Call) => boolean>>
export type Circumstance = keyof typeof circumstances
