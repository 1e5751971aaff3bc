/**
 * Knows when a lease's revision is not above those given before, so that the store of leases must have gone back in time
 * (SYNC.md §A.5 step 2, §A.6): this worker's own memory tells, and for the first run of a connection in a process the
 * tracker's (ADR 0010). A store that is well costs one read per connection and process.
 */
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { LeaseMemory } from './lease-memory.ts'
import type { Ports } from './ports.ts'

export type FenceAsk = { readonly conn: ConnectionId; readonly fence: number; /** What this worker was given before. */ readonly above: number }

/** The failure that halts the run before it reads anything; undefined = go on. */
export const fenceRegress = async (ports: Ports, memory: LeaseMemory, { conn, fence, above }: FenceAsk): Promise<SyncFailure | undefined> => {
  if (fence <= above) return regressed(conn, fence, `this worker was given ${above} before`)
  if (memory.isChecked(conn)) return undefined
  const heard = await ports.highestFence(conn)()
  if (E.isLeft(heard)) {
    // Not knowing is no reason to stand still: the tracker compares every result as well. Asked again by the next run.
    ports.log.warn('lease.unchecked', { conn, reason: 'message' in heard.left ? heard.left.message : heard.left.is })
    return undefined
  }
  if (fence <= heard.right) return regressed(conn, fence, `revision ${heard.right} was used by an earlier run`)
  memory.checked(conn)
  return undefined
}

const regressed = (conn: string, fence: number, but: string): SyncFailure => ({
  is: 'fence-regress',
  message: `the lease of ${conn} has revision ${fence}, but ${but}: the store of leases went back in time`,
  mend: 'see "When the lease store went back in time" in docs/operating.md: lift its revisions above every one it gave',
})
