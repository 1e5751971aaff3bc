/**
 * Knows where a run stands with its lease: what it last wrote there, how long that may be trusted, and how to find out
 * after an unclear write whether it is still its own (SYNC.md §A.1.3, NATS.md §3.3). Does not know what is saved under it.
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { isTrusted, renewed, trustedUntil, type LeaseTimes, type Term } from './lease.ts'
import type { LeaseMemory } from './lease-memory.ts'
import type { Ports, StoreFailure } from './ports.ts'

export const fenced = (message: string): SyncFailure => ({ is: 'fenced', message })
export const storeDown = (failure: StoreFailure): SyncFailure => ({ is: 'unavailable', message: `state store: ${'message' in failure ? failure.message : failure.is}`, code: 'state-store' })

/** The commit counter that the store holds, and the revision at which it was first seen there. */
export type Confirmed = { readonly n: number; readonly revisionSeen: number }

export type Standing = {
  readonly entry: () => LeaseEntry
  /** The condition of the next state write. */
  readonly revision: () => number
  readonly isTrusted: () => boolean
  readonly trustLeftMs: () => number
  /** Aborts when the lease is lost or cannot be trusted any more. */
  readonly lost: AbortSignal
  readonly whyLost: () => SyncFailure
  readonly giveUp: (message: string) => E.Either<SyncFailure, never>
  /** The lease was written with a commit, sent at `sentAt` (monotonic ms). */
  readonly moved: (entry: LeaseEntry, revision: number, sentAt: number) => void
  readonly renew: () => Promise<E.Either<StoreFailure, number>>
  /**
   * The barrier: is the lease still ours, and at which revision? Renewing it makes whatever is still in flight void.
   * Asks until the store answers or the trust is used up.
   */
  readonly confirm: () => Promise<E.Either<SyncFailure, Confirmed>>
}

const askAgainMs = 200

export const standingOf = (ports: Ports, times: LeaseTimes, memory: LeaseMemory, conn: ConnectionId, taken: LeaseEntry, firstTerm: Term): Standing => {
  const ttlSeconds = Math.ceil(times.ttlMs / 1000)
  const lost = new AbortController()
  let why = fenced(`the lease of ${conn} was lost`)
  let term = firstTerm
  let entry = taken

  const trusted = (): boolean => !lost.signal.aborted && isTrusted(term, times, ports.clock.monotonic())

  const giveUp = (message: string): E.Either<SyncFailure, never> => {
    if (!lost.signal.aborted) {
      why = fenced(message)
      lost.abort()
      ports.count('lease-lost', 1)
    }
    return E.left(why)
  }

  const moved = (to: LeaseEntry, revision: number, sentAt: number): void => {
    entry = to
    term = renewed(term, revision, sentAt)
    memory.saw(revision)
  }

  const renew = async (): Promise<E.Either<StoreFailure, number>> => {
    const sentAt = ports.clock.monotonic()
    const written = await ports.state.writeLease(conn, entry, term.revision, ttlSeconds)()
    if (E.isRight(written)) moved(entry, written.right, sentAt)
    return written
  }

  const confirm = async (): Promise<E.Either<SyncFailure, Confirmed>> => {
    let first: Confirmed | undefined
    for (; trusted(); await ports.clock.sleep(askAgainMs)) {
      const seen = await ports.state.readLease(conn)()
      if (E.isLeft(seen)) continue
      const found = seen.right
      // Older than what we were told already: a leader that was replaced answers, or the store went back in time. Neither
      // says whose the lease is, and nothing may be built on it (NATS.md §2.4, §3.8).
      if (found.revision < term.revision) continue
      if (found.entry === null) return giveUp(`the lease of ${conn} has lapsed`)
      if (found.entry.nonce !== entry.nonce) return giveUp(`another worker plays ${conn} now`)
      // A renewal of ours whose answer got lost moves the revision, but not the one at which a commit landed.
      if (first?.n !== found.entry.n) first = { n: found.entry.n, revisionSeen: found.revision }
      entry = found.entry
      term = { ...term, revision: found.revision }
      if (E.isRight(await renew())) return E.right(first)
    }
    return giveUp(`the lease of ${conn} could not be confirmed in time`)
  }

  return {
    entry: () => entry,
    revision: () => term.revision,
    isTrusted: trusted,
    trustLeftMs: () => trustedUntil(term, times) - ports.clock.monotonic(),
    lost: lost.signal,
    whyLost: () => why,
    giveUp, moved, renew, confirm,
  }
}
