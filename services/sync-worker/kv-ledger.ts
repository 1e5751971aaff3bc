/**
 * Knows how the links of one flow are read from and written to ledger pages in KV (SYNC.md §A.1.5). Only touched pages
 * are read and written. Does not know what a link means.
 */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { linksPerPage, pageOf, pagesFor, splitPage } from '#libs/domain/ledger-pages.ts'
import type { Link } from '#libs/domain/link.ts'
import { linkKey } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { isAside } from './aside.ts'
import type { FlowLedger } from './flow-ledger.ts'
import type { Hold } from './hold-lease.ts'
import type { StateStore } from './ports.ts'

type Page = { links: Record<string, Link>; revision: number }

/** `believed: false`: what the pages say is no base; they are emptied with the first commit. */
export type StoredLedger = { readonly checkpoint: Checkpoint | null; readonly revision: number; readonly believed: boolean }

export const openKvLedger = (state: StateStore, hold: Hold, conn: ConnectionId, flow: FlowId, stored: StoredLedger): FlowLedger => {
  const pages = new Map<number, Page>()
  const links = new Map<string, Link>()
  let total = stored.checkpoint?.pages ?? 0
  let linkCount = stored.believed ? (stored.checkpoint?.links ?? 0) : 0
  let parkedCount = stored.believed ? (stored.checkpoint?.parked ?? 0) : 0
  let checkpointRevision = stored.revision
  let whole = true
  /** Pages whose links are no base: emptied before anything else is stored, or a later run would believe them. */
  const untrue = new Set<number>()
  /** Pages that this run stored: true whatever was there before. */
  const ours = new Set<number>()
  let isExamined = stored.believed

  const load = async (wanted: ReadonlyArray<string> | 'all'): Promise<E.Either<SyncFailure, void>> => {
    const numbers = new Set<number>()
    if (wanted === 'all') for (let n = 0; n < total; n++) numbers.add(n)
    else if (total > 0) for (const key of wanted) numbers.add(pageOf(key, total))
    const found = await read([...numbers].filter((n) => !pages.has(n)))
    if (E.isRight(found) && wanted === 'all' && stored.believed) {
      // Counted anew when all is at hand: a page may have been lost.
      whole &&= linkCount === links.size
      linkCount = links.size
      parkedCount = [...links.values()].filter(isAside).length
    }
    return found
  }

  const read = async (missing: ReadonlyArray<number>): Promise<E.Either<SyncFailure, void>> => {
    if (missing.length === 0) return E.right(undefined)
    const found = await state.readPages(conn, flow, missing)()
    if (E.isLeft(found)) return E.left({ is: 'unavailable', message: `ledger of ${conn}/${flow} cannot be read: ${found.left.is}`, code: 'state-store' })
    // Younger than our lease: ours, or of a successor that a clock which stood still has not noticed. What we looked at before
    // would be taken for edits of what these links say.
    const still = [...found.right.values()].some(({ revision }) => revision > hold.fence) ? await hold.confirm() : E.right(undefined)
    if (E.isLeft(still)) return still
    for (const n of missing) {
      const page = found.right.get(n)
      const remembered = page?.value.links ?? {}
      // A page beyond the ledger's end is left from before its checkpoint was lost: its revision must be known all the same.
      const isTrue = ours.has(n) || (stored.believed && n < total)
      pages.set(n, { links: isTrue ? { ...remembered } : {}, revision: page?.revision ?? 0 })
      if (!isTrue && Object.keys(remembered).length > 0) untrue.add(n)
      if (isTrue) for (const [key, link] of Object.entries(remembered)) links.set(key, link)
    }
    return E.right(undefined)
  }

  /** Grows the ledger by one page: links of one page are dealt out over two. */
  const growByOne = async (touched: Set<number>): Promise<E.Either<SyncFailure, void>> => {
    const from = splitPage(total)
    const found = await read([from, total].filter((n) => !pages.has(n)))
    if (E.isLeft(found)) return found
    const old = pages.get(from)
    if (old === undefined) return E.right(undefined)
    const fresh: Page = { links: {}, revision: pages.get(total)?.revision ?? 0 }
    untrue.delete(total)
    const next = total + 1
    for (const [key, link] of Object.entries(old.links)) {
      if (pageOf(key, next) === from) continue
      fresh.links[key] = link
      delete old.links[key]
    }
    pages.set(total, fresh)
    touched.add(from).add(total)
    total = next
    return E.right(undefined)
  }

  const emptyUntrue = async (checkpoint: Checkpoint): Promise<E.Either<SyncFailure, void>> => {
    if (isExamined) return E.right(undefined)
    const loaded = await load('all')
    if (E.isLeft(loaded)) return loaded
    isExamined = true
    while (untrue.size > maxPagesPerCommit) {
      // No cursor goes with these: until the last page is empty this is a first sync that was interrupted.
      const saved = await store(new Set([...untrue].slice(0, maxPagesPerCommit)), { ...checkpoint, phase: 'first', cursorA: null, cursorB: null })
      if (E.isLeft(saved)) return saved
    }
    return E.right(undefined)
  }

  const commit = async (puts: ReadonlyArray<readonly [string, Link]>, drops: ReadonlyArray<string>, checkpoint: Checkpoint): Promise<E.Either<SyncFailure, Checkpoint>> => {
    if (total === 0 && puts.length > 0) total = pagesFor(puts.length)
    const emptied = await emptyUntrue(checkpoint)
    if (E.isLeft(emptied)) return emptied
    const touched = new Set(untrue)
    const loaded = await load([...puts.map(([key]) => key), ...drops])
    if (E.isLeft(loaded)) return loaded
    for (const [key, link] of puts) {
      const n = pageOf(key, total)
      const page = pages.get(n) ?? { links: {}, revision: 0 }
      pages.set(n, page)
      const before = page.links[key]
      page.links[key] = link
      links.set(key, link)
      if (before === undefined) linkCount++
      parkedCount += Number(isAside(link)) - Number(before !== undefined && isAside(before))
      touched.add(n)
    }
    for (const key of drops) {
      const n = pageOf(key, total)
      const page = pages.get(n)
      const before = page?.links[key]
      if (page === undefined || before === undefined) continue
      delete page.links[key]
      links.delete(key)
      linkCount--
      parkedCount -= Number(isAside(before))
      touched.add(n)
    }
    while (linkCount > total * linksPerPage && touched.size < maxPagesPerCommit) {
      const grown = await growByOne(touched)
      if (E.isLeft(grown)) return grown
    }
    return store(touched, checkpoint)
  }

  const store = async (touched: ReadonlySet<number>, checkpoint: Checkpoint): Promise<E.Either<SyncFailure, Checkpoint>> => {
    const full: Checkpoint = { ...checkpoint, fence: hold.fence, pages: total, links: linkCount, parked: parkedCount }
    if (touched.size === 0) {
      const saved = await hold.saveCheckpoint(flow, full)
      if (E.isLeft(saved)) return saved
      checkpointRevision = saved.right
      return E.right(full)
    }
    const writes = [...touched].map((n) => ({ n, page: { links: pages.get(n)?.links ?? {} }, revision: pages.get(n)?.revision ?? 0 }))
    const saved = await hold.saveBatch(flow, writes, full, checkpointRevision)
    if (E.isLeft(saved)) return saved
    writes.forEach(({ n }, i) => {
      const page = pages.get(n)
      if (page !== undefined) page.revision = saved.right + i
      untrue.delete(n)
      ours.add(n)
    })
    checkpointRevision = saved.right + writes.length
    return E.right(full)
  }

  return {
    links,
    linkCount: () => linkCount,
    sizes: async () => {
      let [source, destination] = [0, 0]
      for (const { idA, idB } of links.values()) {
        source += Number(idA !== undefined)
        destination += Number(idB !== undefined)
      }
      return E.right({ source, destination })
    },
    isBeside: false,
    keyOf: (key) => linkKey(conn, flow, key),
    isWhole: () => whole,
    load,
    letGo: () => {
      links.clear()
      // What must still be emptied is emptied under the revision that was read.
      for (const n of pages.keys()) if (!untrue.has(n)) pages.delete(n)
    },
    pageOf: (key) => pageOf(key, total),
    expect: (expected) => {
      if (total === 0) total = pagesFor(expected)
    },
    commit,
  }
}

/** Stay far below the server's 1,000 messages a batch (NATS.md §3.7). */
export const maxPagesPerCommit = 200
