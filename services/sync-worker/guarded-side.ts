/** Knows every call that a side can be asked, so that something can stand around each of them. */
import type { Reader, Side, TransactionalLedger, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { pipe, TE } from '#libs/fp.ts'
import { worstOf } from './call-outcome.ts'

/** What stands around a call. `worst`: the failure inside an answer that is none as a whole. */
export type Around = <A>(call: TE.TaskEither<SyncFailure, A>, worst?: (answer: A) => SyncFailure | undefined) => TE.TaskEither<SyncFailure, A>

export const guardedSide = (side: Side, around: Around): Side => {
  const { ledger, backlog } = side
  const reader = (one: Reader): Reader => ({ ...one, next: around(one.next) })
  return {
    ...side,
    read: (ask) => pipe(around(side.read(ask)), TE.map(reader)),
    fetch: (ids, signal) => around(side.fetch(ids, signal)),
    find: (keys, signal) => around(side.find(keys, signal)),
    write: (writes, signal) => around(side.write(writes, signal), worstWrite),
    ...(backlog === undefined ? {} : { backlog: (cursor, signal) => around(backlog(cursor, signal)) }),
    ...(ledger === undefined ? {} : { ledger: guardedLedger(ledger, around) }),
  }
}

const guardedLedger = (ledger: TransactionalLedger, around: Around): TransactionalLedger => ({
  claim: (fence, signal) => around(ledger.claim(fence, signal)),
  peek: (signal) => around(ledger.peek(signal)),
  links: (keys, signal) => around(ledger.links(keys, signal)),
  linksByRemoteA: (ids, signal) => around(ledger.linksByRemoteA(ids, signal)),
  unseen: (gen, after, limit, signal) => around(ledger.unseen(gen, after, limit, signal)),
  all: (after, limit, signal) => around(ledger.all(after, limit, signal)),
  sizes: (signal) => around(ledger.sizes(signal)),
  count: (gen, signal) => around(ledger.count(gen, signal)),
  forget: (checkpoint, signal) => around(ledger.forget(checkpoint, signal)),
  commit: (commit, signal) => around(ledger.commit(commit, signal), worstWrite),
  ...(ledger.load === undefined ? {} : { load: (load, signal) => around(ledger.load?.(load, signal) ?? TE.right(false)) }),
})

/** Silence asked for counts even when only one write met it; anything else only when no write went through. */
const worstWrite = (wrote: ReadonlyArray<Wrote>): SyncFailure | undefined => {
  const failures = wrote.flatMap((one) => (one.is === 'failed' ? [one.failure] : []))
  const worst = worstOf(failures)
  return worst?.is === 'later' || failures.length === wrote.length ? worst : undefined
}
