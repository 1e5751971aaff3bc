/**
 * Knows how a run keeps and gives back the lease it took, and how it writes state under it
 * (SYNC.md §A.1.3, NATS.md §3.3). One state write is in flight at a time: renewals and commits wait for each other.
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { isTrusted, renewed, type LeaseTimes, type Term } from './lease.ts'
import type { PageWrite, Ports, StoreFailure } from './ports.ts'

export type AttemptError = { readonly attempt: number; readonly at: number; readonly error: string }

export type Hold = {
  /** Revision at acquisition: the run's fence. */
  readonly fence: number
  /** Errors of earlier attempts of the same work item. */
  readonly attempts: ReadonlyArray<AttemptError>
  /** Aborts when the lease is lost or cannot be trusted any more. */
  readonly lost: AbortSignal
  readonly isTrusted: () => boolean
  /** Only the checkpoint changes: one conditional publish. Answers its revision. */
  readonly saveCheckpoint: (flow: FlowId, checkpoint: Checkpoint) => Promise<E.Either<SyncFailure, number>>
  /** Pages and checkpoint in one atomic batch. Answers the revision of the first message; they count up from there. */
  readonly saveBatch: (flow: FlowId, pages: ReadonlyArray<PageWrite>, checkpoint: Checkpoint, checkpointRevision: number) => Promise<E.Either<SyncFailure, number>>
  /** `attempts` travel with the freed lease until the next attempt takes it. */
  readonly release: (attempts: ReadonlyArray<AttemptError>) => Promise<void>
}

export const fenced = (message: string): SyncFailure => ({ is: 'fenced', message })
export const storeDown = (failure: StoreFailure): SyncFailure => ({ is: 'unavailable', message: `state store: ${'message' in failure ? failure.message : failure.is}`, code: 'state-store' })

/**
 * Markers of leases this worker gave back a moment ago. A freed lease leaves a marker that the server removes after about a
 * second; from then on "there is none" is the right expectation, and one round trip takes it, whoever asks.
 */
export type Markers = Map<ConnectionId, { readonly revision: number; readonly at: number }>
export const markerLivesMs = 1_000
const maxMarkers = 10_000

/** One reason for all: an abort without one makes an error with its stack, for every run. */
const over = new Error('the run is over')

/** Longer than the longest delay between two attempts: 15 min (SYNC.md §D.1). */
const keepAttemptsSeconds = 3_600

export type TakeAsk = {
  readonly conn: ConnectionId
  readonly run: string
  readonly attempt: number
  /** Called with every renewal, so that the work item's redelivery moves on too. */
  readonly stillWorking: () => Promise<void>
}

export const holdOf = (ports: Ports, times: LeaseTimes, markers: Markers, ask: TakeAsk, taken: LeaseEntry, firstTerm: Term): Hold => {
  const { conn } = ask
  const ttlSeconds = Math.ceil(times.ttlMs / 1000)
  const lost = new AbortController()
  const ended = new AbortController()
  let term = firstTerm
  let entry = taken
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <A>(write: () => Promise<E.Either<SyncFailure, A>>): Promise<E.Either<SyncFailure, A>> => {
    const mine = turn.then(async () => {
      if (lost.signal.aborted) return E.left(fenced(`the lease of ${conn} was lost`))
      if (!isTrusted(term, times, ports.clock.monotonic())) return giveUp(`the lease of ${conn} could not be renewed in time`)
      return write()
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  const giveUp = (message: string): E.Either<SyncFailure, never> => {
    lost.abort()
    ports.count('lease-lost', 1)
    return E.left(fenced(message))
  }

  const renewOnce = async (): Promise<E.Either<StoreFailure, number>> => {
    const sentAt = ports.clock.monotonic()
    const written = await ports.state.writeLease(conn, entry, term.revision, ttlSeconds)()
    if (E.isRight(written)) term = renewed(term, written.right, sentAt)
    return written
  }

  /**
   * After an unclear or refused write: is the lease still ours, and at which revision? Renewing it makes whatever is still
   * in flight void (NATS.md §3.3 rule 4). Answers the commit counter that the store holds.
   */
  const barrier = async (): Promise<E.Either<SyncFailure, { readonly n: number; readonly revisionSeen: number }>> => {
    while (isTrusted(term, times, ports.clock.monotonic())) {
      const seen = await ports.state.readLease(conn)()
      if (E.isRight(seen)) {
        const found = seen.right
        if (found.entry?.nonce !== entry.nonce) return giveUp(`another worker plays ${conn} now`)
        entry = found.entry
        term = { ...term, revision: found.revision }
        const written = await renewOnce()
        if (E.isRight(written)) return E.right({ n: found.entry.n, revisionSeen: found.revision })
      }
      await ports.clock.sleep(200)
    }
    return giveUp(`the lease of ${conn} could not be confirmed in time`)
  }

  const saveCheckpoint = (flow: FlowId, checkpoint: Checkpoint) =>
    inTurn(async (): Promise<E.Either<SyncFailure, number>> => {
      for (let round = 0; round < 3; round++) {
        const written = await ports.state.writeCheckpoint(conn, flow, checkpoint, term.revision)()
        if (E.isRight(written)) return written
        if (written.left.is === 'broken') return E.left(storeDown(written.left))
        const still = await barrier()
        if (E.isLeft(still)) return still
        const stored = await ports.state.readCheckpoint(conn, flow)()
        if (E.isRight(stored) && stored.right !== null && sameCheckpoint(stored.right.value, checkpoint)) return E.right(stored.right.revision)
      }
      return E.left(storeDown({ is: 'not-stored', message: `checkpoint of ${conn}/${flow} was refused three times` }))
    })

  const saveBatch = (flow: FlowId, pages: ReadonlyArray<PageWrite>, checkpoint: Checkpoint, checkpointRevision: number) =>
    inTurn(async (): Promise<E.Either<SyncFailure, number>> => {
      const messages = pages.length + 2
      for (let round = 0; round < 3; round++) {
        const next: LeaseEntry = { ...entry, n: entry.n + 1 }
        const sentAt = ports.clock.monotonic()
        const written = await ports.state.writeBatch({
          conn, flow, pages, ttlSeconds, checkpoint: { value: checkpoint, revision: checkpointRevision }, lease: { value: next, revision: term.revision },
        })()
        if (E.isRight(written)) {
          entry = next
          term = renewed(term, written.right, sentAt)
          return E.right(written.right - messages + 1)
        }
        if (written.left.is === 'broken') return E.left(storeDown(written.left))
        const revisionBefore = term.revision
        const still = await barrier()
        if (E.isLeft(still)) return still
        if (still.right.n === next.n) return E.right(still.right.revisionSeen - messages + 1)
        if (written.left.is === 'refused' && still.right.revisionSeen === revisionBefore) {
          // The lease was as we knew it, so a page or the checkpoint was not: what we read was stale. Read again.
          return E.left({ is: 'unavailable', message: `the ledger of ${conn}/${flow} moved under this run; it is read again`, code: 'stale-read' })
        }
      }
      return E.left(storeDown({ is: 'not-stored', message: `commit of ${conn}/${flow} was refused three times` }))
    })

  const keepRenewing = async (): Promise<void> => {
    while (!ended.signal.aborted && !lost.signal.aborted) {
      await ports.clock.sleep(times.renewEveryMs, ended.signal).catch(() => undefined)
      if (ended.signal.aborted) return
      const kept = await inTurn<number>(async () => {
        const written = await renewOnce()
        if (E.isRight(written)) return written
        const still = await barrier()
        return E.isRight(still) ? E.right(term.revision) : still
      })
      if (E.isLeft(kept)) return
      await ask.stillWorking()
    }
  }
  const renewing = keepRenewing().catch((cause: unknown) => {
    ports.log.error('lease.renewal-crashed', { conn, error: cause })
    lost.abort()
  })

  const release = async (attempts: ReadonlyArray<AttemptError>): Promise<void> => {
    ended.abort(over)
    await turn.catch(() => undefined)
    await renewing
    if (lost.signal.aborted) return
    if (attempts.length > 0) {
      await ports.state.writeLease(conn, { ...entry, free: true, attempts: [...attempts] }, term.revision, keepAttemptsSeconds)()
      return
    }
    const dropped = await ports.state.dropLease(conn, term.revision)()
    // A lost release ends with the TTL of the last renewal; nobody is harmed.
    if (E.isRight(dropped)) {
      if (markers.size >= maxMarkers) markers.clear()
      markers.set(conn, { revision: dropped.right, at: ports.clock.monotonic() })
    }
  }

  return {
    fence: firstTerm.fence,
    attempts: taken.attempts ?? [],
    lost: lost.signal,
    isTrusted: () => !lost.signal.aborted && isTrusted(term, times, ports.clock.monotonic()),
    saveCheckpoint,
    saveBatch,
    release,
  }
}

const sameCheckpoint = (a: Checkpoint, b: Checkpoint): boolean =>
  a.fence === b.fence && a.run === b.run && a.cursorA === b.cursorA && a.cursorB === b.cursorB && a.gen === b.gen && a.phase === b.phase && a.links === b.links
