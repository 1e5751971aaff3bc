/**
 * Knows how a run takes the lease of its connection: one round trip when nobody holds it, an answer when somebody does
 * (SYNC.md §A.5 step 1). What follows is told in hold-lease.ts.
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { holdOf, type AttemptError, type Hold, type TakeAsk } from './hold-lease.ts'
import type { LeaseTimes } from './lease.ts'
import type { LeaseMemory } from './lease-memory.ts'
import { storeDown } from './lease-standing.ts'
import type { Ports, StoreFailure } from './ports.ts'

export type Taken =
  /** `above`: what the fence has to exceed, or the store of leases went back in time. */
  | { readonly is: 'held'; readonly hold: Hold; readonly above: number }
  | { readonly is: 'busy'; readonly ttlLeftMs: number }

const mostRounds = 3
/** What a lease that nobody holds is expected at; a marker of one given back within the last second is found by reading. */
const nobody = 0

export const takeLease = (ports: Ports, times: LeaseTimes, memory: LeaseMemory) => async (ask: TakeAsk): Promise<E.Either<SyncFailure, Taken>> => {
  const ttlSeconds = Math.ceil(times.ttlMs / 1000)
  const nonce = ports.random.token()
  const mine = (attempts: ReadonlyArray<AttemptError>): LeaseEntry => ({
    owner: ports.worker, nonce, run: ask.run, n: 0, free: false, ...(attempts.length > 0 ? { attempts: [...attempts] } : {}),
  })
  const write = async (entry: LeaseEntry, expected: number): Promise<E.Either<StoreFailure, Taken>> => {
    const above = memory.highest()
    const sentAt = ports.clock.monotonic()
    const written = await ports.state.writeLease(ask.conn, entry, expected, ttlSeconds)()
    if (E.isLeft(written)) return written
    memory.saw(written.right)
    return E.right({ is: 'held', above, hold: holdOf(ports, times, memory, ask, entry, { fence: written.right, revision: written.right, sentAt }) })
  }

  // A later attempt reads first, because the errors of the earlier ones travel in the lease.
  if (ask.attempt === 1) {
    const written = await write(mine([]), nobody)
    if (E.isRight(written)) return written
    if (written.left.is === 'broken') return E.left(storeDown(written.left))
  }
  for (let round = 0; round < mostRounds; round++) {
    const seen = await ports.state.readLease(ask.conn)()
    if (E.isLeft(seen)) return E.left(storeDown(seen.left))
    const { entry, revision, ageMs } = seen.right
    const isMine = entry !== null && entry.nonce === nonce
    if (entry !== null && !entry.free && !isMine) return E.right({ is: 'busy', ttlLeftMs: Math.max(0, times.ttlMs - ageMs) })
    const attempts = entry !== null && entry.run === ask.run ? (entry.attempts ?? []) : []
    // When it is ours, an answer was lost. It counts from when it was sent, which we no longer know: write it once more.
    const written = await write(isMine ? entry : mine(attempts), revision)
    if (E.isRight(written)) return written
    if (written.left.is === 'broken') return E.left(storeDown(written.left))
    // Refused: somebody was faster. Unknown: the next read tells whether it was us.
  }
  return E.right({ is: 'busy', ttlLeftMs: times.ttlMs })
}
