/**
 * Knows which links a streamed flow would delete, page by page, and the hash that binds an approval to exactly these
 * (SYNC.md §C): keys and contents, not how many.
 */
import { createHash } from 'node:crypto'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import type { MoveView, PlanView } from './flow-end.ts'
import type { Stream } from './stream.ts'

export type Candidates = AsyncIterable<E.Either<SyncFailure, ReadonlyArray<readonly [string, Link]>>>

const pageSize = 1_000
/** Moves shown of one plan; all of them are counted and hashed. */
const shown = 500

export const candidates = (stream: Stream, coverage: 'listing' | 'delta'): Candidates => (coverage === 'listing' ? unseen(stream) : gone(stream))

async function* unseen(stream: Stream): Candidates {
  for (let after = ''; ; ) {
    const page = await stream.ledger.unseen(stream.gen, after, pageSize, stream.context.signal)()
    if (E.isLeft(page)) {
      yield page
      return
    }
    const lastKey = page.right.at(-1)?.[0]
    if (lastKey === undefined) return
    // A dry run marks nothing in the ledger: what it has seen is taken out here.
    const left = page.right.filter(([key]) => !stream.toldSeen.has(key))
    if (left.length > 0) yield E.right(left)
    after = lastKey
  }
}

async function* gone(stream: Stream): Candidates {
  const keys = [...stream.gone.keys()].sort()
  for (let from = 0; from < keys.length; from += pageSize) {
    const links = await stream.ledger.links(keys.slice(from, from + pageSize), stream.context.signal)()
    if (E.isLeft(links)) {
      yield links
      return
    }
    // Shown again under another id meanwhile: it moved, and is not gone (T33).
    yield E.right([...links.right].filter(([key, link]) => link.idA === stream.gone.get(key)).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** The deletes as a plan. Read in the order of the link keys, so that the same set has the same hash. */
export const describe = async (stream: Stream, coverage: 'listing' | 'delta'): Promise<E.Either<SyncFailure, PlanView>> => {
  const digest = createHash('sha256').update(`${stream.context.flow.id}|deletes`)
  const moves: Array<MoveView> = []
  let total = 0
  for await (const page of candidates(stream, coverage)) {
    if (E.isLeft(page)) return page
    for (const [key, link] of page.right) {
      // Set aside before it was ever copied: nothing is deleted for it.
      if (link.idB === undefined) continue
      digest.update(`\n${key}|${link.hB ?? ''}`)
      if (moves.length < shown) moves.push({ key: link.key, do: 'delete', on: 'destination' })
      total++
    }
  }
  return E.right({ hash: digest.digest('hex').slice(0, 16), moves, total })
}
