/**
 * Knows how a run takes the lease of its connection: one round trip when nobody holds it, an answer when somebody does
 * (SYNC.md §A.5 step 1). What follows is told in hold-lease.ts.
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { holdOf, markerLivesMs, storeDown, type AttemptError, type Hold, type Markers, type TakeAsk } from './hold-lease.ts'
import type { LeaseTimes } from './lease.ts'
import type { Ports } from './ports.ts'

export type Taken = { readonly is: 'held'; readonly hold: Hold } | { readonly is: 'busy'; readonly ttlLeftMs: number }

export const takeLease = (ports: Ports, times: LeaseTimes, markers: Markers) => async (ask: TakeAsk): Promise<E.Either<SyncFailure, Taken>> => {
  const ttlSeconds = Math.ceil(times.ttlMs / 1000)
  const nonce = ports.random.token()
  const marker = markers.get(ask.conn)
  markers.delete(ask.conn)
  const expected = marker !== undefined && ports.clock.monotonic() - marker.at < markerLivesMs ? marker.revision : 0
  const mine = (attempts: ReadonlyArray<AttemptError>): LeaseEntry => ({
    owner: ports.worker, nonce, run: ask.run, n: 0, free: false, ...(attempts.length > 0 ? { attempts: [...attempts] } : {}),
  })
  // A later attempt reads first, because the errors of the earlier ones travel in the lease.
  if (ask.attempt === 1) {
    const sentAt = ports.clock.monotonic()
    const written = await ports.state.writeLease(ask.conn, mine([]), expected, ttlSeconds)()
    if (E.isRight(written)) return E.right({ is: 'held', hold: holdOf(ports, times, markers, ask, mine([]), { fence: written.right, revision: written.right, sentAt }) })
    if (written.left.is === 'broken') return E.left(storeDown(written.left))
  }
  for (let round = 0; round < 3; round++) {
    const seen = await ports.state.readLease(ask.conn)()
    if (E.isLeft(seen)) return E.left(storeDown(seen.left))
    const { entry, revision, ageMs } = seen.right
    if (entry !== null && entry.nonce === nonce) {
      // Our own write whose answer was lost. It counts from when it was sent, which we no longer know: renew at once.
      const sentAt = ports.clock.monotonic()
      const again = await ports.state.writeLease(ask.conn, entry, revision, ttlSeconds)()
      if (E.isRight(again)) return E.right({ is: 'held', hold: holdOf(ports, times, markers, ask, entry, { fence: again.right, revision: again.right, sentAt }) })
      continue
    }
    if (entry !== null && !entry.free) return E.right({ is: 'busy', ttlLeftMs: Math.max(0, times.ttlMs - ageMs) })
    const attempts = entry !== null && entry.run === ask.run ? (entry.attempts ?? []) : []
    const sentAt = ports.clock.monotonic()
    const written = await ports.state.writeLease(ask.conn, mine(attempts), revision, ttlSeconds)()
    if (E.isRight(written)) return E.right({ is: 'held', hold: holdOf(ports, times, markers, ask, mine(attempts), { fence: written.right, revision: written.right, sentAt }) })
    if (written.left.is === 'broken') return E.left(storeDown(written.left))
    // Refused: somebody was faster. Unknown: the next read tells whether it was us.
  }
  return E.right({ is: 'busy', ttlLeftMs: times.ttlMs })
}
