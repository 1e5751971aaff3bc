/**
 * Knows how work becomes one transaction: begun, repeated when it lost a race, committed, and called ambiguous when the
 * answer to COMMIT never came.
 */
import { E } from '../../fp.ts'
import type { SyncFailure } from '../../domain/failure.ts'
import type { Database, Work } from './database.ts'
import { faultOf } from './database.ts'
import { meaningOf } from './sqlstate.ts'
import { savepoint } from './write.ts'

/**
 * Every row is found by its key, so joins by hash or merge could only be a wrong guess over a table that was never
 * analyzed. Constraints that may wait until COMMIT must not: there nobody could tell whose row it was.
 */
const begin = `BEGIN; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET CONSTRAINTS ALL IMMEDIATE; ${savepoint}`

/** 40001, 40P01, 55P03 (SYNC.md §D.3). */
const mostTries = 5
const baseDelayMs = 50

export type Lost = { readonly pid: number }

/** `lost` is told when the outcome of COMMIT is unknown; the answer is `ambiguous` then. */
export const inTransaction = <A>(database: Database, signal: AbortSignal, work: Work<A>, lost: (session: Lost) => void = () => undefined) =>
  database.on<A>(signal, async (session) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await session.query(begin)
        const done = await work(session)
        if (E.isLeft(done)) {
          await session.query('ROLLBACK')
          return done
        }
        const committed = await session.query('COMMIT').then(({ command }) => E.right(command), (cause: unknown) => E.left(cause))
        if (E.isRight(committed)) return committed.right === 'COMMIT' ? done : E.left({ is: 'bug', message: `COMMIT was answered by ${committed.right}` })
        if (isDefinite(committed.left)) throw committed.left
        lost({ pid: session.pid })
        session.destroy()
        return E.left(ambiguous(database, committed.left))
      } catch (cause) {
        if (meaningOf(faultOf(cause)).is !== 'again' || attempt === mostTries || signal.aborted || !session.isAlive()) throw cause
        await session.query('ROLLBACK')
        await database.clock.sleep(database.random.next() * baseDelayMs * 2 ** attempt, signal)
      }
    }
  })

/** The server refused to commit. Everything else, its own shutdown included, may have come after the commit. */
const isDefinite = (cause: unknown): boolean => {
  const { code } = faultOf(cause)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !['08', '57', 'XX'].includes(code.slice(0, 2))
}

const ambiguous = (database: Database, cause: unknown): SyncFailure =>
  ({ is: 'ambiguous', message: `${database.place}: the answer to COMMIT was lost: ${faultOf(cause).message}`, code: '08007' })
