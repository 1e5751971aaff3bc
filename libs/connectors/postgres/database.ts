/**
 * Knows the few connections a side holds, that work on them can be aborted, and how errors become failures. Nothing else
 * in the connector catches what `pg` throws, except to bisect a batch and to find out about a lost COMMIT.
 */
import type { Clock } from '../../clock.ts'
import type { Random } from '../../random.ts'
import { E, type TE } from '../../fp.ts'
import type { SyncFailure } from '../../domain/failure.ts'
import { placeOf, type Address } from './address.ts'
import { openSession, type Session } from './session.ts'
import { failureOf, type Fault } from './sqlstate.ts'

export type Work<A> = (session: Session) => Promise<E.Either<SyncFailure, A>>

export type Database = {
  /** host:port/database. */
  readonly place: string
  readonly clock: Clock
  readonly random: Random
  /** Runs the work on a connection of its own; one that failed is not used again. */
  readonly on: <A>(signal: AbortSignal, work: Work<A>) => TE.TaskEither<SyncFailure, A>
  readonly failure: (cause: unknown) => SyncFailure
  /** Ends what a connection of ours that we lost may still be doing. */
  readonly kill: (pid: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** A side reads a page ahead while its last one is looked at; nobody gains from a third connection. */
const mostSessions = 2

export const openDatabase = (address: Address, clock: Clock, random: Random): Database => {
  const place = placeOf(address)
  const idle: Array<Session> = []
  const busy = new Set<Session>()
  const waiting: Array<() => void> = []
  const endings = new Set<Promise<void>>()
  let taken = 0
  const failure = (cause: unknown): SyncFailure => failureOf(faultOf(cause), place, clock.now(), random.next())

  const take = async (): Promise<Session> => {
    if (taken >= mostSessions) await new Promise<void>((free) => waiting.push(free))
    taken += 1
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) if (session.isAlive()) return session
    return openSession(address)
  }
  const give = (session: Session | undefined, isGood: boolean) => {
    taken -= 1
    waiting.shift()?.()
    if (session === undefined) return
    busy.delete(session)
    if (isGood && session.isAlive()) idle.push(session)
    else later(session.end())
  }
  const later = (ending: Promise<void>) => {
    endings.add(ending)
    void ending.finally(() => endings.delete(ending))
  }
  const kill = async (pid: number): Promise<void> => {
    try {
      const other = await openSession(address)
      await other.query('SELECT pg_terminate_backend($1::int)', [pid]).finally(() => other.end())
    } catch {
      // Then the server finds out by itself: it cannot write to a closed line.
    }
  }

  const on: Database['on'] = (signal, work) => async () => {
    if (signal.aborted) return E.left(cancelled)
    let session: Session | undefined
    let isGood = false
    const cut = () => {
      if (session === undefined) return
      session.destroy()
      later(kill(session.pid))
    }
    signal.addEventListener('abort', cut, { once: true })
    try {
      session = await take()
      busy.add(session)
      if (signal.aborted) return E.left(cancelled)
      const done = await work(session)
      isGood = true
      return done
    } catch (cause) {
      return E.left(signal.aborted ? cancelled : failure(cause))
    } finally {
      signal.removeEventListener('abort', cut)
      give(session, isGood && !signal.aborted)
    }
  }

  return {
    place, clock, random, on, failure, kill,
    close: async () => {
      for (const session of busy) session.destroy()
      for (const session of idle.splice(0)) later(session.end())
      await Promise.all(endings)
    },
  }
}

export const cancelled: SyncFailure = { is: 'cancelled', message: 'ended on request' }

/** What `pg`, the socket and TLS throw are all errors with a code, or without one when the line just broke. */
export const faultOf = (cause: unknown): Fault => {
  if (!(cause instanceof Error)) return { message: String(cause), code: 'XX000' }
  const { code, severity } = cause as { code?: unknown; severity?: unknown }
  return {
    // Both addresses of `localhost` refused: an AggregateError has a code and no message.
    message: cause.message === '' ? String(code) : cause.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof severity === 'string' ? { severity } : {}),
  }
}
