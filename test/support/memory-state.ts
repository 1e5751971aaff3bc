/**
 * A stand-in for `sync_state` in memory: one counter of revisions, conditions checked as the server does, atomic batches.
 * The laws in test/laws/state-store.laws.ts run on this and on a real server. Mischief: lost answers, late arrivals.
 */
import { E } from '#libs/fp.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { LeaseEntry, type LedgerPage } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { StateStore, StoreFailure, Stored } from '../../services/sync-worker/ports.ts'

type Cell = { readonly value: unknown; readonly revision: number; readonly at: number; readonly expiresAt: number }

/** How long the server keeps the marker of an entry that expired, and the one that a freed lease leaves (NATS.md §2.2). */
const markerLivesMs = 2_000
const dropMarkerLivesMs = 1_000

export type MemoryState = StateStore & {
  /** Every accepted write, in stream order; `under`: the keys whose revisions its batch was conditional on. */
  readonly log: Array<{ readonly key: string; readonly revision: number; readonly value: unknown; readonly under: ReadonlyArray<string> }>
  readonly mischief: {
    /** The next write is stored, but its answer is lost. */
    loseAnswer: boolean
    /** The next write arrives only when `deliverLate` is called; its answer is lost. */
    delayWrite: boolean
    /** So many batches from now on are refused at their first message, as when too many are open at once. */
    fullBatches: number
    /** Nothing is answered, read or write; writes are not stored. */
    down: boolean
    /** The next read of a lease answers what stood there this many revisions of the lease ago. */
    staleLeaseReads: number
  }
  readonly deliverLate: () => void
  /** What stands there, uncopied: for looking at. */
  readonly peek: (key: string) => unknown
  /** Wipes the key without a trace; `remove` leaves a marker, as `nats kv del` does. */
  readonly drop: (key: string) => void
  readonly remove: (key: string) => void
  /** A copy to go back to, as a restored store would. */
  readonly copy: () => () => void
  readonly advance: (ms: number) => void
  /** The connection broke and is back: everybody who listens is told. */
  readonly reconnect: () => void
}

export const memoryState = (): MemoryState => {
  let cells = new Map<string, Cell>()
  let revision = 0
  let now = 0
  const late: Array<() => void> = []
  const log: MemoryState['log'] = []
  const mischief: MemoryState['mischief'] = { loseAnswer: false, delayWrite: false, fullBatches: 0, down: false, staleLeaseReads: 0 }
  const listeners = new Set<() => void>()
  const leasesBefore: Array<Cell> = []
  const lostAnswer: StoreFailure = { is: 'unknown', message: 'the answer was lost' }
  const refused: StoreFailure = { is: 'refused' }

  const live = (key: string): Cell | undefined => {
    const cell = cells.get(key)
    if (cell === undefined || cell.expiresAt > now) return cell
    cells.delete(key)
    if (cell.value === undefined) return undefined
    // The server leaves a marker when an entry expires: a new revision without a value.
    cells.set(key, { value: undefined, revision: ++revision, at: cell.expiresAt, expiresAt: cell.expiresAt + markerLivesMs })
    return live(key)
  }
  const last = (key: string): number => live(key)?.revision ?? 0

  type Wish = { readonly key: string; readonly value: unknown; readonly ttlSeconds?: number; readonly expect?: readonly [key: string, revision: number] }
  const write = (wishes: ReadonlyArray<Wish>): E.Either<StoreFailure, number> => {
    if (wishes.some(({ expect }) => expect !== undefined && last(expect[0]) !== expect[1])) return E.left(refused)
    const under = wishes.flatMap(({ expect }) => (expect === undefined || expect[1] <= 0 ? [] : [expect[0]]))
    for (const { key, value, ttlSeconds } of wishes) {
      const before = cells.get(key)
      if (before !== undefined && key.startsWith('lease.')) leasesBefore.push(before)
      const stored: unknown = structuredClone(value)
      cells.set(key, { value: stored, revision: ++revision, at: now, expiresAt: ttlSeconds === undefined || ttlSeconds === 0 ? Infinity : now + ttlSeconds * 1000 })
      log.push({ key, revision, value: stored, under })
    }
    return E.right(revision)
  }
  const send = async (wishes: ReadonlyArray<Wish>): Promise<E.Either<StoreFailure, number>> => {
    if (mischief.down) return E.left(lostAnswer)
    if (mischief.delayWrite) {
      mischief.delayWrite = false
      late.push(() => void write(wishes))
      return E.left(lostAnswer)
    }
    const written = write(wishes)
    if (!mischief.loseAnswer) return written
    mischief.loseAnswer = false
    return E.left(lostAnswer)
  }
  const read = <A>(key: string): Stored<A> | null => {
    const cell = live(key)
    return cell?.value === undefined ? null : { value: structuredClone(cell.value) as A, revision: cell.revision }
  }

  return {
    log,
    mischief,
    deliverLate: () => {
      for (const arrive of late.splice(0)) arrive()
    },
    peek: (key) => live(key)?.value,
    drop: (key) => void cells.delete(key),
    remove: (key) => void cells.set(key, { value: undefined, revision: ++revision, at: now, expiresAt: Infinity }),
    reconnect: () => {
      for (const listener of [...listeners]) listener()
    },
    onReconnect: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    copy: () => {
      const [then, at] = [new Map(cells), revision]
      return () => {
        cells = new Map(then)
        revision = at
      }
    },
    advance: (ms) => {
      now += ms
    },
    readLease: (conn) => async () => {
      if (mischief.down) return E.left(lostAnswer)
      const stale = mischief.staleLeaseReads > 0 ? leasesBefore.at(-mischief.staleLeaseReads) : undefined
      mischief.staleLeaseReads = 0
      const cell = stale ?? live(stateKeys.lease(conn))
      const entry = cell?.value === undefined ? null : (structuredClone(cell.value) as LeaseEntry)
      return E.right({ entry, revision: cell?.revision ?? 0, ageMs: cell === undefined || entry === null ? 0 : now - cell.at })
    },
    writeLease: (conn, entry, expected, ttlSeconds) => () => send([{ key: stateKeys.lease(conn), value: entry, ttlSeconds, expect: [stateKeys.lease(conn), expected] }]),
    dropLease: (conn, expected) => async () => {
      if (expected <= 0) return noFence
      return E.map(() => undefined)(await send([{ key: stateKeys.lease(conn), value: undefined, ttlSeconds: dropMarkerLivesMs / 1000, expect: [stateKeys.lease(conn), expected] }]))
    },
    readCheckpoint: (conn, flow) => async () => (mischief.down ? E.left(lostAnswer) : E.right(read<Checkpoint>(stateKeys.checkpoint(conn, flow)))),
    readPages: (conn, flow, numbers) => async () => {
      if (mischief.down) return E.left(lostAnswer)
      const found = new Map<number, Stored<LedgerPage>>()
      for (const n of numbers) {
        const page = live(stateKeys.page(conn, flow, n))
        // One that was deleted is empty, but its marker has a revision that the next write must expect.
        if (page !== undefined) found.set(n, { value: structuredClone((page.value ?? { links: {} }) as LedgerPage), revision: page.revision })
      }
      return E.right(found)
    },
    writeCheckpoint: (conn, flow, checkpoint, leaseRevision) => async () => {
      if (leaseRevision <= 0) return noFence
      return send([{ key: stateKeys.checkpoint(conn, flow), value: checkpoint, expect: [stateKeys.lease(conn), leaseRevision] }])
    },
    writeBatch: ({ conn, flow, pages, checkpoint, lease, ttlSeconds }) => async () => {
      if (lease.revision <= 0) return noFence
      if (mischief.fullBatches > 0) {
        mischief.fullBatches -= 1
        return E.left({ is: 'not-stored', message: 'too many batches are open' })
      }
      const key = stateKeys.checkpoint(conn, flow)
      const marker = live(key)
      const expected = checkpoint.revision === 0 && marker !== undefined && marker.value === undefined ? marker.revision : checkpoint.revision
      return send([
        ...pages.map(({ n, page, revision: pageRevision }): Wish => ({ key: stateKeys.page(conn, flow, n), value: page, expect: [stateKeys.page(conn, flow, n), pageRevision] })),
        { key, value: checkpoint.value, expect: [key, expected] },
        { key: stateKeys.lease(conn), value: lease.value, ttlSeconds, expect: [stateKeys.lease(conn), lease.revision] },
      ])
    },
  }
}

const noFence: E.Either<StoreFailure, never> = E.left({ is: 'broken', message: '0 is no fence' })
