/**
 * Knows which messages of one lane nobody will be given again, from what a server tells (NATS.md §5.6). There is no list
 * of them: a message that was delivered is either in a worker's hand, waiting for its next attempt, or given up, and only
 * the number of each is known. Does not know what becomes of them.
 */
import type { LaneNumbers } from './ports.ts'

export type Candidate = {
  readonly seq: number
  readonly storedAt: number
  /** Latest proof that the work item lives: its last progress, or the time its next attempt is due. */
  readonly aliveUntil?: number
}

export type Patience = {
  /** Without an acknowledgement for so long a message goes to the next worker, or is given up. */
  readonly ackWaitMs: number
  /** Without any sign of life for so long, while workers wait for work, it is taken for given up. */
  readonly silentMs: number
}

export type Overdue = {
  readonly certain: ReadonlyArray<number>
  /** So many more block their connections, but cannot be told from those that wait. */
  readonly unsure: number
}

export type Look = {
  /** The lane's messages by sequence, all of them or a first part. */
  readonly oldest: ReadonlyArray<Candidate>
  readonly lane: LaneNumbers
  /** The numbers were the same before and after the messages were listed; otherwise they say little about them. */
  readonly isStill: boolean
}

export const overdue = ({ oldest, lane, isStill }: Look, now: number, patience: Patience): Overdue => {
  const reached = lane.stored - lane.pending // messages are delivered in order: the undelivered ones are the last
  const givenUp = reached - lane.inHand
  if (givenUp <= 0) return { certain: [], unsure: 0 }
  // Giving up takes an acknowledgement that did not come, so whatever showed life since then is not among them
  const suspects = oldest.slice(0, reached).filter((one) => now - lifeOf(one) >= patience.ackWaitMs)
  const sawAll = oldest.length >= reached
  if (isStill && sawAll && suspects.length === givenUp) return { certain: suspects.map(({ seq }) => seq), unsure: 0 }
  // More suspects than victims. A live one would be given to a waiting worker at once; so silence beside waiting
  // workers, for longer than any delay between attempts, is as good as proof.
  const silent = lane.waitingPulls === 0 ? [] : suspects.filter((one) => now - lifeOf(one) >= patience.silentMs)
  const certain = silent.slice(0, givenUp).map(({ seq }) => seq)
  return { certain, unsure: givenUp - certain.length }
}

const lifeOf = (one: Candidate): number => Math.max(one.storedAt, one.aliveUntil ?? 0)
