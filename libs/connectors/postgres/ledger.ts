/**
 * Knows the transactional ledger in the destination's own database: rows, links and checkpoint in one transaction, fenced by
 * the lease revision (SYNC.md §A.1.4). A COMMIT whose answer was lost is decided by the checkpoint's row (T65).
 */
import { Checkpoint } from '../../domain/checkpoint.ts'
import { bug, type SyncFailure } from '../../domain/failure.ts'
import type { Link } from '../../domain/link.ts'
import { E, pipe, TE } from '../../fp.ts'
import type { TransactionalCommit, TransactionalLedger, Wrote } from '../connector.ts'
import type { TransactionalLoad } from '../row-batch.ts'
import { fitOf } from './batch-fit.ts'
import { copyBatch } from './copy-batch.ts'
import { faultOf, type Database, type Work } from './database.ts'
import { linkOfRow } from './link-row.ts'
import type { Session } from './session.ts'
import * as sidecar from './sidecar.ts'
import { linkStore, type Put } from './store-links.ts'
import type { Column, Table } from './table.ts'
import { textArray } from './text-array.ts'
import { inTransaction } from './transaction.ts'
import { attempt, carryOut } from './write.ts'

type Links = TE.TaskEither<SyncFailure, ReadonlyMap<string, Link>>

/** One statement must end within a minute (session.ts). */
const forgottenAtOnce = 100_000
/** Commits whose answer was lost and that turned out not to have landed are repeated so often. */
const mostTries = 3

export const openLedger = (database: Database, table: Table, conn: string, flow: string): TransactionalLedger => {
  const me = [conn, flow] as const
  let ledger: number | null = null
  const stored = linkStore(database)

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

  const counted = (sql: string, parameters: ReadonlyArray<number>, signal: AbortSignal): TE.TaskEither<SyncFailure, ReadonlyArray<number>> =>
    database.on(signal, async (session) => E.right(((await quietly(session.query(sql, [...me, ...parameters]).then(({ rows }) => rows), []))[0] ?? []).map(Number)))

  const ledgerId = async (session: Session): Promise<number> => (ledger ??= Number((await session.query(sidecar.stored, [...me])).rows[0]?.[2] ?? 0))

  const commitOnce = (commit: TransactionalCommit, token: string, tell: (wrote: ReadonlyArray<Wrote>) => void) => async (session: Session): Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>> => {
    const [writing, readying] = [carryOut(database, session, table, commit.writes), commit.ready?.()] // in this order: the server works meanwhile
    const wrote = await writing
    if (E.isLeft(wrote)) return wrote
    const { puts, drops, checkpoint } = commit.settle(wrote.right)
    const linked = puts.length + drops.length === 0 ? E.right(undefined) : await stored.store(session, await ledgerId(session), puts, drops)
    if (E.isLeft(linked)) return linked
    const ready = await (readying ?? E.right(undefined))
    if (E.isLeft(ready)) return ready
    const { count } = await session.query(sidecar.moveCheckpoint, [...me, commit.fence, JSON.stringify(checkpoint), token])
    tell(wrote.right)
    return count === 1 ? wrote : E.left(fenced(commit.fence))
  }
  /** Nothing of it, when the server does not take it just as it is: whatever the reason, the way of all rows finds it. */
  const loadOnce = (load: TransactionalLoad, into: ReadonlyArray<Column>, token: string) => async (session: Session): Promise<E.Either<SyncFailure, boolean>> => {
    const id = await ledgerId(session)
    const loaded = await attempt(database, session, () => copyBatch(session, table, into, load, id), ['23505', '0A000', '42501'])
    if (E.isLeft(loaded)) return E.right(false)
    const { count } = await session.query(sidecar.moveCheckpoint, [...me, load.fence, JSON.stringify(load.checkpoint), token])
    return count === 1 ? E.right(true) : E.left(fenced(load.fence))
  }
  const fenced = (fence: number): SyncFailure => ({ is: 'fenced', message: `${database.place}: a later run than ${fence} has taken ${conn}/${flow}` })

  /** `work` answers the same again when it turns out that it was committed after all. */
  const surely = async <A>(fence: number, signal: AbortSignal, work: (token: string, tell: (answer: A) => void) => Work<A>): Promise<E.Either<SyncFailure, A>> => {
    for (let tries = 1; ; tries++) {
      const token = database.random.token()
      let told: { readonly answer: A } | undefined
      let pid = 0
      const done = await inTransaction(database, signal, work(token, (answer) => { told = { answer } }), (lost) => { pid = lost.pid })()
      if (E.isRight(done) || pid === 0) return done
      // Ended, so that its lock on the row is soon free. What it did before is not undone by that.
      await database.kill(pid)
      const read = await database.on(signal, (session) => session.query(sidecar.storedForSure, [...me]).then(({ rows }) => E.right(rows[0] ?? [])))()
      if (E.isLeft(read)) return E.left({ ...done.left, message: `${done.left.message}; and ${read.left.message}` })
      if (read.right[1] === token && told !== undefined) return E.right(told.answer)
      if (Number(read.right[0]) > fence) return E.left(fenced(fence))
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
    all: (after, limit, signal) => links(sidecar.allLinks, [after, limit], signal),
    sizes: (signal) => pipe(counted(sidecar.sizeOfLinks, [], signal), TE.map(([source = 0, destination = 0]) => ({ source, destination }))),
    count: (gen, signal) => pipe(counted(sidecar.countLinks, [gen], signal), TE.map(([all = 0, unseen = 0, copied = 0]) => ({ links: all, unseen, copied }))),
    forget: (checkpoint, signal) => inTransaction(database, signal, async (session) => {
      // The row first: whoever is about to commit under an older fence waits for it, and is refused.
      const { count } = await session.query(sidecar.moveCheckpoint, [...me, checkpoint.fence, JSON.stringify(checkpoint), database.random.token()])
      if (count !== 1) return E.left(fenced(checkpoint.fence))
      let forgotten = 0
      for (let gone = -1; gone !== 0; forgotten += gone) gone = (await session.query(sidecar.forgetLinks, [...me, forgottenAtOnce])).count
      return E.right(forgotten)
    }),
    commit: (asked, signal) => () => surely(asked.fence, signal, (token, tell) => commitOnce(asked, token, tell)),
    load: (asked, signal) => async () => {
      const into = fitOf(table, asked.batch)
      return into === null || !stored.areNew() ? E.right(false) : surely<boolean>(asked.fence, signal, (token, tell) => {
        tell(true)
        return loadOnce(asked, into, token)
      })
    },
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
