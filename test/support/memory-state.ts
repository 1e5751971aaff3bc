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

export type MemoryState = StateStore & {
  /** Every accepted write, in stream order. */
  readonly log: Array<{ readonly key: string; readonly revision: number }>
  readonly mischief: {
    /** The next write is stored, but its answer is lost. */
    loseAnswer: boolean
    /** The next write arrives only when `deliverLate` is called; its answer is lost. */
    delayWrite: boolean
  }
  readonly deliverLate: () => void
  readonly drop: (key: string) => void
  /** A copy to go back to, as a restored store would. */
  readonly copy: () => () => void
  readonly advance: (ms: number) => void
}

export const memoryState = (): MemoryState => {
  let cells = new Map<string, Cell>()
  let revision = 0
  let now = 0
  const late: Array<() => void> = []
  const log: MemoryState['log'] = []
  const mischief: MemoryState['mischief'] = { loseAnswer: false, delayWrite: false }
  const lostAnswer: StoreFailure = { is: 'unknown', message: 'the answer was lost' }
  const refused: StoreFailure = { is: 'refused' }

  const live = (key: string): Cell | undefined => {
    const cell = cells.get(key)
    if (cell !== undefined && cell.expiresAt <= now) {
      // The server leaves a marker when an entry expires: a new revision without a value.
      cells.set(key, { value: undefined, revision: ++revision, at: now, expiresAt: Infinity })
      return cells.get(key)
    }
    return cell
  }
  const last = (key: string): number => live(key)?.revision ?? 0

  type Wish = { readonly key: string; readonly value: unknown; readonly ttlSeconds?: number; readonly expect?: readonly [key: string, revision: number] }
  const write = (wishes: ReadonlyArray<Wish>): E.Either<StoreFailure, number> => {
    if (wishes.some(({ expect }) => expect !== undefined && last(expect[0]) !== expect[1])) return E.left(refused)
    for (const { key, value, ttlSeconds } of wishes) {
      cells.set(key, { value: structuredClone(value), revision: ++revision, at: now, expiresAt: ttlSeconds === undefined || ttlSeconds === 0 ? Infinity : now + ttlSeconds * 1000 })
      log.push({ key, revision })
    }
    return E.right(revision)
  }
  const send = async (wishes: ReadonlyArray<Wish>): Promise<E.Either<StoreFailure, number>> => {
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
    drop: (key) => void cells.delete(key),
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
      const key = stateKeys.lease(conn)
      const cell = live(key)
      const entry = read<LeaseEntry>(key)
      return E.right({ entry: entry?.value ?? null, revision: cell?.revision ?? 0, ageMs: cell === undefined ? 0 : now - cell.at })
    },
    writeLease: (conn, entry, expected, ttlSeconds) => () => send([{ key: stateKeys.lease(conn), value: entry, ttlSeconds, expect: [stateKeys.lease(conn), expected] }]),
    dropLease: (conn, expected) => async () => {
      const written = await send([{ key: stateKeys.lease(conn), value: undefined, expect: [stateKeys.lease(conn), expected] }])
      return written
    },
    readCheckpoint: (conn, flow) => async () => E.right(read<Checkpoint>(stateKeys.checkpoint(conn, flow))),
    readPages: (conn, flow, numbers) => async () => {
      const found = new Map<number, Stored<LedgerPage>>()
      for (const n of numbers) {
        const page = read<LedgerPage>(stateKeys.page(conn, flow, n))
        if (page !== null) found.set(n, page)
      }
      return E.right(found)
    },
    writeCheckpoint: (conn, flow, checkpoint, leaseRevision) => async () => {
      if (leaseRevision <= 0) return E.left({ is: 'broken', message: 'a fence of 0 is no fence' })
      return send([{ key: stateKeys.checkpoint(conn, flow), value: checkpoint, expect: [stateKeys.lease(conn), leaseRevision] }])
    },
    writeBatch: ({ conn, flow, pages, checkpoint, lease, ttlSeconds }) => () =>
      send([
        ...pages.map(({ n, page, revision: expected }): Wish => ({ key: stateKeys.page(conn, flow, n), value: page, expect: [stateKeys.page(conn, flow, n), expected] })),
        { key: stateKeys.checkpoint(conn, flow), value: checkpoint.value, expect: [stateKeys.checkpoint(conn, flow), checkpoint.revision] },
        { key: stateKeys.lease(conn), value: lease.value, ttlSeconds, expect: [stateKeys.lease(conn), lease.revision] },
      ]),
  }
}
