/**
 * Knows the transactional ledger in the destination's own database: rows, links and checkpoint in one transaction, fenced by
 * the lease revision (SYNC.md §A.1.4). A COMMIT whose answer was lost is decided by the checkpoint's row (T65).
 */
import { Checkpoint } from '../../domain/checkpoint.ts'
import { bug, type SyncFailure } from '../../domain/failure.ts'
import type { Link } from '../../domain/link.ts'
import { E, pipe, TE } from '../../fp.ts'
import type { TransactionalCommit, TransactionalLedger, Wrote } from '../connector.ts'
import { copyLine } from './copy-text.ts'
import { faultOf, type Database } from './database.ts'
import { linkColumns, linkOfRow, rowOfLink } from './link-row.ts'
import type { Session } from './session.ts'
import * as sidecar from './sidecar.ts'
import type { Table } from './table.ts'
import { textArray } from './text-array.ts'
import { inTransaction } from './transaction.ts'
import { attempt, carryOut } from './write.ts'

type Links = TE.TaskEither<SyncFailure, ReadonlyMap<string, Link>>
type Put = readonly [linkKey: string, link: Link]

/** Below this one statement with lists is as quick as COPY. */
const worthCopying = 200
/** Commits whose answer was lost and that turned out not to have landed are repeated so often. */
const mostTries = 3

export const openLedger = (database: Database, table: Table, conn: string, flow: string): TransactionalLedger => {
  const me = [conn, flow] as const
  let ledger: number | null = null
  /** COPY cannot replace: after the first time it met a link that was there, it is not tried again. */
  let linksAreNew = true

  const claim = (fence: number) => async (session: Session): Promise<E.Either<SyncFailure, Checkpoint | null>> => {
    const ensured = await sidecar.ensureSidecar(database, session)
    if (E.isLeft(ensured)) return ensured
    for (const sql of [sidecar.raiseFence, sidecar.firstClaim, sidecar.raiseFence]) {
      const { rows } = await session.query(sql, [...me, fence])
      if (rows[0] !== undefined) return checkpointOf(rows[0][0])
    }
    const { rows } = await session.query(sidecar.stored, [...me])
    return E.left({ is: 'fence-regress', message: `${database.place}: the checkpoint of ${conn}/${flow} holds the fence ${rows[0]?.[0] ?? '?'}, this run only has ${fence}`, mend: 'the store of leases went back in time: see fence regress in docs/operating.md' })
  }

  const links = (sql: string, parameters: ReadonlyArray<string | number | Buffer>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<Put>> =>
    database.on(signal, async (session) => {
      const found: Array<Put> = []
      for (const row of await quietly(session.query(sql, [...me, ...parameters]).then(({ rows }) => rows), [])) {
        const link = linkOfRow(row)
        if (E.isLeft(link)) return E.left(bug(link.left))
        found.push(link.right)
      }
      return E.right(found)
    })
  const mapped = (found: TE.TaskEither<SyncFailure, ReadonlyArray<Put>>): Links => pipe(found, TE.map((puts) => new Map(puts)))

  const storeLinks = async (session: Session, puts: ReadonlyArray<Put>, drops: ReadonlyArray<string>): Promise<E.Either<SyncFailure, void>> => {
    if (puts.length + drops.length === 0) return E.right(undefined)
    ledger ??= Number((await session.query(sidecar.stored, [...me])).rows[0]?.[2] ?? 0)
    const id = ledger
    if (drops.length > 0) await session.query(sidecar.dropLinks, [id, textArray(drops)])
    if (puts.length === 0) return E.right(undefined)
    // Sorted by key the index is filled page by page: a quarter less work for the server (measured).
    const sorted = [...new Map(puts)].sort(([a], [b]) => (a < b ? -1 : 1))
    const rows = sorted.map(([key, link]) => rowOfLink(key, link))
    if (linksAreNew && rows.length >= worthCopying) {
      const copied = await attempt(database, session, () => session.copyIn(sidecar.copyLinks, rows.map((row) => `${id}\t${copyLine(row)}`)))
      if (E.isRight(copied)) return copied
      if (copied.left.code !== '23505') return copied
      linksAreNew = false
    }
    await session.query(sidecar.putLinks, [id, ...linkColumns.map((_, n) => textArray(rows.map((row) => row[n] ?? null)))])
    return E.right(undefined)
  }

  const commitOnce = (commit: TransactionalCommit, token: string, tell: (wrote: ReadonlyArray<Wrote>) => void) => async (session: Session): Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>> => {
    const wrote = await carryOut(database, session, table, commit.writes)
    if (E.isLeft(wrote)) return wrote
    const { puts, drops, checkpoint } = commit.settle(wrote.right)
    const linked = await storeLinks(session, puts, drops)
    if (E.isLeft(linked)) return linked
    const { count } = await session.query(sidecar.moveCheckpoint, [...me, commit.fence, JSON.stringify(checkpoint), token])
    tell(wrote.right)
    return count === 1 ? wrote : E.left(fenced(commit.fence))
  }
  const fenced = (fence: number): SyncFailure => ({ is: 'fenced', message: `${database.place}: a later run than ${fence} has taken ${conn}/${flow}` })

  const commit = async (asked: TransactionalCommit, signal: AbortSignal): Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>> => {
    for (let tries = 1; ; tries++) {
      const token = database.random.token()
      let wrote: ReadonlyArray<Wrote> = []
      let pid = 0
      const done = await inTransaction(database, signal, commitOnce(asked, token, (answers) => { wrote = answers }), (lost) => { pid = lost.pid })()
      if (E.isRight(done) || pid === 0) return done
      // Ended, so that its lock on the row is soon free. What it did before is not undone by that.
      await database.kill(pid)
      const read = await database.on(signal, (session) => session.query(sidecar.storedForSure, [...me]).then(({ rows }) => E.right(rows[0] ?? [])))()
      if (E.isLeft(read)) return E.left({ ...done.left, message: `${done.left.message}; and ${read.left.message}` })
      if (read.right[1] === token) return E.right(wrote)
      if (Number(read.right[0]) > asked.fence) return E.left(fenced(asked.fence))
      if (tries === mostTries) return E.left({ is: 'unavailable', message: done.left.message })
    }
  }

  return {
    claim: (fence, signal) => database.on(signal, claim(fence)),
    peek: (signal) => database.on(signal, async (session) => checkpointOf((await quietly(session.query(sidecar.stored, [...me]).then(({ rows }) => rows), []))[0]?.[1])),
    links: (linkKeys, signal) => mapped(linkKeys.length === 0 ? TE.right([]) : links(sidecar.linksByKey, [textArray([...new Set(linkKeys)])], signal)),
    linksByRemoteA: (remoteIds, signal) => mapped(remoteIds.length === 0 ? TE.right([]) : pipe(
      database.on(signal, (session) => quietly(session.query(sidecar.indexIdA).then(() => E.right(undefined)), E.right(undefined))),
      TE.flatMap(() => links(sidecar.linksByIdA, [textArray([...new Set(remoteIds)])], signal)),
    )),
    unseen: (gen, after, limit, signal) => links(sidecar.unseenLinks, [gen, after, limit], signal),
    count: (gen, signal) => database.on(signal, async (session) => {
      const [all, unseen] = (await quietly(session.query(sidecar.countLinks, [...me, gen]).then(({ rows }) => rows), []))[0] ?? []
      return E.right({ links: Number(all ?? 0), unseen: Number(unseen ?? 0) })
    }),
    commit: (asked, signal) => () => commit(asked, signal),
  }
}

const checkpointOf = (body: string | null | undefined): E.Either<SyncFailure, Checkpoint | null> => {
  if (body === null || body === undefined) return E.right(null)
  const decoded = Checkpoint.decode(JSON.parse(body))
  return E.isRight(decoded) ? decoded : E.left(bug('a checkpoint in syncline.checkpoint is damaged'))
}

/** The tables that are not there yet hold nothing, and an index that may not be made is not missed for correctness. */
const quietly = async <A>(asked: Promise<A>, otherwise: A): Promise<A> => {
  try {
    return await asked
  } catch (cause) {
    const { code } = faultOf(cause)
    if (code !== '42P01' && code !== '42501' && code !== '3F000') throw cause
    return otherwise
  }
}
