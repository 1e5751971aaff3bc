/**
 * A transactional destination in memory: rows are those of a memory side, links and checkpoint stand beside them. Keeps the
 * ledger laws (test/libs/connectors/memory), so that streamed flows can be tested without a database too.
 */
import type { Side, TransactionalLedger, Wrote } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'

export type LedgerShelf = { readonly links: Map<string, Link>; checkpoint: Checkpoint | null; fence: number; commits: number }

export const ledgerShelf = (): LedgerShelf => ({ links: new Map(), checkpoint: null, fence: 0, commits: 0 })

export const withLedger = (side: Side, shelf: LedgerShelf): Side => {
  const ledger: TransactionalLedger = {
    peek: () => async () => E.right(shelf.checkpoint),
    claim: (fence) => async () => {
      if (shelf.fence >= fence) return E.left({ is: 'fence-regress', message: `fence ${shelf.fence} is stored` })
      shelf.fence = fence
      return E.right(shelf.checkpoint)
    },
    links: (keys) => async () => E.right(picked(shelf, (key) => keys.includes(key))),
    linksByRemoteA: (ids) => async () => E.right(picked(shelf, (_key, link) => link.idA !== undefined && ids.includes(link.idA))),
    unseen: (gen, after, limit) => async () => E.right([...shelf.links].filter(([key, link]) => key > after && isUnseen(link, gen)).sort(([x], [y]) => (x < y ? -1 : 1)).slice(0, limit)),
    count: (gen) => async () => E.right({ links: shelf.links.size, unseen: [...shelf.links.values()].filter((link) => isUnseen(link, gen)).length }),
    commit: ({ fence, writes, settle }, signal) => async () => {
      if (fence < shelf.fence) return E.left({ is: 'fenced', message: `fence ${shelf.fence} is stored` })
      const wrote = writes.length === 0 ? E.right<never, ReadonlyArray<Wrote>>([]) : await side.write(writes, signal)()
      if (E.isLeft(wrote)) return wrote
      const { puts, drops, checkpoint } = settle(wrote.right)
      for (const [key, link] of puts) shelf.links.set(key, link)
      for (const key of drops) shelf.links.delete(key)
      shelf.checkpoint = checkpoint
      shelf.commits++
      return wrote
    },
  }
  return { ...side, capabilities: { ...side.capabilities, precondition: 'transactional' }, ledger }
}

const isUnseen = (link: Link, gen: number): boolean => link.st === 'linked' && (link.genA ?? 0) < gen

const picked = (shelf: LedgerShelf, test: (key: string, link: Link) => boolean): ReadonlyMap<string, Link> => new Map([...shelf.links].filter(([key, link]) => test(key, link)))
