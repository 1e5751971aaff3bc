/**
 * Knows how a run's checkpoint and ledger pages are stored under its lease, and what an unclear or refused answer comes to
 * (SYNC.md §A.1.3, NATS.md §3.3). Called by one writer at a time: hold-lease.ts sees to it.
 */
import { isDeepStrictEqual } from 'node:util'
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { LeaseTimes } from './lease.ts'
import { storeDown, type Standing } from './lease-standing.ts'
import type { PageWrite, Ports } from './ports.ts'

type Saved = Promise<E.Either<SyncFailure, number>>

/** Open batches of all workers share one limit of the server; who is refused there waits for a moment (NATS.md §4.3). */
const mostRounds = 12
const pauseMs = (round: number, random: number): number => Math.min(400, 25 * 2 ** round) * (0.5 + random)

export const saveState = (ports: Ports, times: LeaseTimes, conn: ConnectionId, standing: Standing) => {
  const ttlSeconds = Math.ceil(times.ttlMs / 1000)

  /**
   * A late copy of this one write would still be let in as long as the lease's revision stays: the barrier after an unclear
   * answer, the next renewal and the release each move it.
   */
  const checkpointOnly = async (flow: FlowId, checkpoint: Checkpoint): Saved => {
    for (let round = 0; round < mostRounds; round++) {
      const written = await ports.state.writeCheckpoint(conn, flow, checkpoint, standing.revision())()
      if (E.isRight(written)) return written
      if (written.left.is === 'broken') return E.left(storeDown(written.left))
      if (written.left.is === 'not-stored') await ports.clock.sleep(pauseMs(round, ports.random.next()))
      const still = await standing.confirm()
      if (E.isLeft(still)) return still
      const stored = await ports.state.readCheckpoint(conn, flow)()
      if (E.isRight(stored) && stored.right !== null && isDeepStrictEqual(stored.right.value, checkpoint)) return E.right(stored.right.revision)
    }
    return E.left(storeDown({ is: 'not-stored', message: `checkpoint of ${conn}/${flow} was refused ${mostRounds} times` }))
  }

  const batch = async (flow: FlowId, pages: ReadonlyArray<PageWrite>, checkpoint: Checkpoint, checkpointRevision: number): Saved => {
    const messages = pages.length + 2
    for (let round = 0; round < mostRounds; round++) {
      const next: LeaseEntry = { ...standing.entry(), n: standing.entry().n + 1 }
      const sentAt = ports.clock.monotonic()
      const revisionBefore = standing.revision()
      const written = await ports.state.writeBatch({
        conn, flow, pages, ttlSeconds, checkpoint: { value: checkpoint, revision: checkpointRevision }, lease: { value: next, revision: revisionBefore },
      })()
      if (E.isRight(written)) {
        standing.moved(next, written.right, sentAt)
        return E.right(written.right - messages + 1)
      }
      if (written.left.is === 'broken') return E.left(storeDown(written.left))
      if (written.left.is === 'not-stored') await ports.clock.sleep(pauseMs(round, ports.random.next()))
      const still = await standing.confirm()
      if (E.isLeft(still)) return still
      if (still.right.n === next.n) return E.right(still.right.revisionSeen - messages + 1)
      if (written.left.is === 'refused' && still.right.revisionSeen === revisionBefore) {
        // The lease was as we knew it, so a page or the checkpoint was not: what we read was stale. Read again.
        return E.left({ is: 'unavailable', message: `the ledger of ${conn}/${flow} moved under this run; it is read again`, code: 'stale-read' })
      }
    }
    return E.left(storeDown({ is: 'not-stored', message: `commit of ${conn}/${flow} was refused ${mostRounds} times` }))
  }

  return { checkpointOnly, batch }
}
