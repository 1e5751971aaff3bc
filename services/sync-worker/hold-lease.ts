/**
 * Knows how a run keeps and gives back the lease it took. One state write is in flight at a time: renewals, commits and the
 * release wait for each other, and after a reconnect the lease is confirmed before any of them (NATS.md §3.3).
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { LeaseTimes, Term } from './lease.ts'
import type { LeaseMemory } from './lease-memory.ts'
import { standingOf } from './lease-standing.ts'
import type { PageWrite, Ports } from './ports.ts'
import { saveState } from './save-state.ts'

export type AttemptError = { readonly attempt: number; readonly at: number; readonly error: string }

export type Hold = {
  /** Revision at acquisition: the run's fence. */
  readonly fence: number
  /** Errors of earlier attempts of the same work item. */
  readonly attempts: ReadonlyArray<AttemptError>
  /** Aborts when the lease is lost or cannot be trusted any more. */
  readonly lost: AbortSignal
  readonly whyLost: () => SyncFailure
  readonly isTrusted: () => boolean
  /** Asks the store, which knows of a successor even when our clock stood still with the machine. */
  readonly confirm: () => Promise<E.Either<SyncFailure, unknown>>
  /** Only the checkpoint changes: one conditional publish. Answers its revision. */
  readonly saveCheckpoint: (flow: FlowId, checkpoint: Checkpoint) => Promise<E.Either<SyncFailure, number>>
  /** Pages and checkpoint in one atomic batch. Answers the revision of the first message; they count up from there. */
  readonly saveBatch: (flow: FlowId, pages: ReadonlyArray<PageWrite>, checkpoint: Checkpoint, checkpointRevision: number) => Promise<E.Either<SyncFailure, number>>
  /** `attempts` travel with the freed lease until the next attempt takes it. Only the first call does anything. */
  readonly release: (attempts: ReadonlyArray<AttemptError>) => Promise<void>
}

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

export const holdOf = (ports: Ports, times: LeaseTimes, memory: LeaseMemory, ask: TakeAsk, taken: LeaseEntry, firstTerm: Term): Hold => {
  const { conn } = ask
  const standing = standingOf(ports, times, memory, conn, taken, firstTerm)
  const save = saveState(ports, times, conn, standing)
  let turn: Promise<unknown> = Promise.resolve()
  let alarm = new AbortController()
  let suspect = false
  let ended = false

  /** The server may have come back with an older store, in which our revision is somebody else's: only the nonce tells. */
  const offReconnect = ports.state.onReconnect(() => {
    suspect = true
    alarm.abort(over)
  })

  const inTurn = <A>(write: () => Promise<E.Either<SyncFailure, A>>): Promise<E.Either<SyncFailure, A>> => {
    const mine = turn.then(async () => {
      if (standing.lost.aborted) return E.left(standing.whyLost())
      if (!standing.isTrusted()) return standing.giveUp(`the lease of ${conn} could not be renewed in time`)
      while (suspect) {
        suspect = false
        const still = await standing.confirm()
        if (E.isLeft(still)) return still
      }
      return write()
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  const renewal = async (): Promise<E.Either<SyncFailure, unknown>> => (E.isRight(await standing.renew()) ? E.right(undefined) : standing.confirm())

  /** Stops the run at the end of its trust, even while a call to the store still waits for its answer. */
  const outOfTrust = async (enough: AbortSignal): Promise<E.Either<SyncFailure, unknown>> => {
    while (!enough.aborted && standing.isTrusted()) await ports.clock.sleep(standing.trustLeftMs(), enough)
    return enough.aborted ? E.right(undefined) : standing.giveUp(`the lease of ${conn} could not be renewed in time`)
  }

  const keepRenewing = async (): Promise<void> => {
    while (!ended && !standing.lost.aborted) {
      alarm = new AbortController()
      if (!suspect) await ports.clock.sleep(times.renewEveryMs, alarm.signal)
      if (ended) return
      const enough = new AbortController()
      // After a reconnect the turn itself begins with a confirmation, which is a renewal.
      const turned = inTurn<unknown>(suspect ? async () => E.right(undefined) : renewal)
      const kept = await Promise.race([turned, outOfTrust(enough.signal)])
      enough.abort(over)
      if (E.isLeft(kept)) return
      await ask.stillWorking()
    }
  }
  const renewing = keepRenewing().catch((cause: unknown) => {
    ports.log.error('lease.renewal-crashed', { conn, error: cause })
    standing.giveUp(`the lease of ${conn} could not be renewed`)
  })

  const giveBack = async (attempts: ReadonlyArray<AttemptError>): Promise<E.Either<SyncFailure, void>> => {
    if (attempts.length > 0) {
      await ports.state.writeLease(conn, { ...standing.entry(), free: true, attempts: [...attempts] }, standing.revision(), keepAttemptsSeconds)()
      return E.right(undefined)
    }
    await ports.state.dropLease(conn, standing.revision())()
    // A lost release ends with the TTL of the last renewal; nobody is harmed.
    return E.right(undefined)
  }

  const release = async (attempts: ReadonlyArray<AttemptError>): Promise<void> => {
    if (ended) return
    ended = true
    alarm.abort(over)
    await renewing
    // In its turn as any other write: what is lost, or not trusted any more, is left to whoever has it now.
    if (!standing.lost.aborted) await inTurn(() => giveBack(attempts))
    offReconnect()
  }

  return {
    fence: firstTerm.fence,
    attempts: taken.attempts ?? [],
    lost: standing.lost,
    whyLost: standing.whyLost,
    isTrusted: standing.isTrusted,
    confirm: () => inTurn(standing.confirm),
    saveCheckpoint: (flow, checkpoint) => inTurn(() => save.checkpointOnly(flow, checkpoint)),
    saveBatch: (flow, pages, checkpoint, checkpointRevision) => inTurn(() => save.batch(flow, pages, checkpoint, checkpointRevision)),
    release,
  }
}
