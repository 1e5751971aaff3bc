/** Knows the transactional ledger over a store in memory: rows, links and checkpoint together or not at all (SYNC.md §A.1.4). */
import { E } from '../../fp.ts'
import { needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { Link } from '../../domain/link.ts'
import type { TransactionalCommit, TransactionalLedger, Wrote } from '../connector.ts'
import type { MemoryOptions } from './options.ts'
import { cancelled } from './showing.ts'
import type { MemoryStore, StoredLedger } from './store.ts'
import { memoryWrite } from './writing.ts'

export const memoryLedger = (store: MemoryStore, options: MemoryOptions, flow: string): TransactionalLedger => {
  const held = (): StoredLedger => store.ledgers.get(flow) ?? { fence: 0, checkpoint: null, links: new Map() }
  const when = async <A>(signal: AbortSignal, run: () => E.Either<SyncFailure, A>): Promise<E.Either<SyncFailure, A>> => (signal.aborted ? E.left(cancelled) : run())
  const pick = (wanted: (key: string, link: Link) => boolean): ReadonlyMap<string, Link> => new Map([...held().links].filter(([key, link]) => wanted(key, link)))
  const isUnseen = (link: Link, gen: number): boolean => link.st !== 'tomb' && (link.genA ?? 0) < gen

  return {
    claim: (fence, signal) => () => when(signal, () => {
      const before = held()
      if (before.fence >= fence) return E.left({ is: 'fence-regress', message: `fence ${before.fence} is stored, ${fence} was claimed` })
      store.ledgers.set(flow, { ...before, fence })
      return E.right(before.checkpoint)
    }),
    peek: (signal) => () => when(signal, () => E.right(held().checkpoint)),
    links: (linkKeys, signal) => () => when(signal, () => {
      const wanted = new Set(linkKeys)
      return E.right(pick((key) => wanted.has(key)))
    }),
    linksByRemoteA: (remoteIds, signal) => () => when(signal, () => {
      const wanted = new Set(remoteIds)
      return E.right(pick((_, link) => link.idA !== undefined && wanted.has(link.idA)))
    }),
    unseen: (gen, after, limit, signal) => () => when(signal, () => {
      const keys = [...pick((key, link) => key > after && isUnseen(link, gen))].sort(([a], [b]) => (a < b ? -1 : 1))
      return E.right(keys.slice(0, limit))
    }),
    all: (after, limit, signal) => () => when(signal, () => E.right([...pick((key) => key > after)].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit))),
    sizes: (signal) => () => when(signal, () => E.right({ source: pick((_, { idA }) => idA !== undefined).size, destination: pick((_, { idB }) => idB !== undefined).size })),
    count: (gen, signal) => () => when(signal, () => E.right({
      links: held().links.size,
      unseen: pick((_, link) => isUnseen(link, gen)).size,
      copied: pick((_, link) => isUnseen(link, gen) && link.idB !== undefined).size,
    })),
    forget: (checkpoint, signal) => () => when(signal, () => {
      const before = held()
      if (before.fence > checkpoint.fence) return E.left({ is: 'fenced', message: `fence ${before.fence} is stored, ${checkpoint.fence} wanted to forget` })
      store.ledgers.set(flow, { fence: checkpoint.fence, checkpoint, links: new Map() })
      return E.right(before.links.size)
    }),
    commit: (commit, signal) => async () => {
      const ready = await (commit.ready?.() ?? E.right(undefined))
      return E.isLeft(ready) ? ready : when(signal, () => committed(store, options, flow, held(), commit))
    },
  }
}

const committed = (store: MemoryStore, options: MemoryOptions, flow: string, before: StoredLedger, commit: TransactionalCommit): E.Either<SyncFailure, ReadonlyArray<Wrote>> => {
  const { mischief } = store
  // As of a table without the right to write it: the ledger's own tables are another matter.
  if (commit.writes.length > 0 && (options.readOnly === true || mischief.readOnly)) return E.left(needsPerson(`${store.name} is read-only`, 'give it write access'))
  if (before.fence !== commit.fence) return E.left({ is: 'fenced', message: `fence ${before.fence} is stored, ${commit.fence} wanted to commit` })
  if (mischief.failWrites > 0) {
    mischief.failWrites -= 1
    return E.left(mischief.failure ?? unavailable(`${store.name} does not answer`))
  }
  // A lost answer is the commit's, not one write's.
  const isLost = mischief.loseAnswers > 0
  if (isLost) mischief.loseAnswers -= 1
  const { loseAnswers } = mischief
  mischief.loseAnswers = 0
  try {
    return store.transaction(() => {
      const wrote = commit.writes.map((write) => memoryWrite(store, options, write))
      const { puts, drops, checkpoint } = commit.settle(wrote)
      const links = new Map(before.links)
      for (const key of drops) links.delete(key)
      for (const [key, link] of puts) links.set(key, link)
      store.ledgers.set(flow, { fence: commit.fence, checkpoint, links })
      return isLost ? E.left({ is: 'ambiguous', message: 'the answer was lost' }) : E.right(wrote)
    })
  } finally {
    mischief.loseAnswers = loseAnswers
  }
}
