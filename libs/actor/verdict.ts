/**
 * Knows what can become of a message once its turn is over. Does not know acks: libs/nats turns a verdict into one
 * (done → ack, defer → new request + ack, retry-in → nak with the delay, poison → dead letter + terminate).
 */
export type Verdict =
  | { readonly is: 'done' }
  /** Try later without fault: costs no attempt. `notBefore` in ms since the epoch. */
  | { readonly is: 'defer'; readonly notBefore: number; readonly reason: string }
  /** Deliver the same message again after `ms`. */
  | { readonly is: 'retry-in'; readonly ms: number; readonly reason: string }
  /** Hopeless: kept as a dead letter, never delivered again. One line of `report` per mistake. */
  | { readonly is: 'poison'; readonly reason: string; readonly report: ReadonlyArray<string> }

type Of<Is extends Verdict['is']> = Extract<Verdict, { readonly is: Is }>

export const done: Of<'done'> = { is: 'done' }
export const retryIn = (ms: number, reason: string): Of<'retry-in'> => ({ is: 'retry-in', ms, reason })
export const poison = (reason: string, report: ReadonlyArray<string> = []): Of<'poison'> => ({ is: 'poison', reason, report })
