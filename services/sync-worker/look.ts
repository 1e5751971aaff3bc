/**
 * Knows how one side is read to its end before anything is planned (SYNC.md §A.5 step 4). A cursor that is lost means
 * everything is listed again, with the links as the base.
 */
import type { Change, Side } from '#libs/connectors/connector.ts'
import { restoredCode, type SyncFailure } from '#libs/domain/failure.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'

export type Look = {
  readonly coverage: 'listing' | 'delta'
  readonly changes: ReadonlyArray<Change>
  /** Where the next run reads on; null when the side gave no cursor. */
  readonly cursor: string | null
  readonly resynced: boolean
  /** The side went back in time (restored from a copy): what it shows and does not show was never agreed on (T48). */
  readonly restored: boolean
  /** One of the two sides shows more than is held at once: what was read is not the whole, and may be dropped. */
  readonly isTooMuch: boolean
}

/** Most changes of one side that a spooled flow holds in memory, where it cannot be gone through page by page. */
export const spoolLimit = 500_000

/** Shared by the looks at both sides: when one is too much, the other need not be finished. */
export type Bound = { readonly most: number; isTooMuch: boolean }

export type LookAsk = { readonly cursor: string | null; readonly limit: number; readonly signal: AbortSignal; readonly bound?: Bound }

export const look = async (side: Side, ask: LookAsk): Promise<E.Either<SyncFailure, Look>> => {
  const first = await readAll(side, ask)
  if (E.isRight(first)) return E.right({ ...first.right, resynced: false, restored: false })
  if (first.left.is !== 'cursor-lost' || ask.cursor === null) return first
  const again = await readAll(side, { ...ask, cursor: null })
  return E.isRight(again) ? E.right({ ...again.right, resynced: true, restored: first.left.code === restoredCode }) : again
}

const readAll = async (side: Side, { cursor, limit, signal, bound }: LookAsk): Promise<E.Either<SyncFailure, Omit<Look, 'resynced' | 'restored'>>> => {
  const opened = await side.read({ cursor, limit, resuming: false, signal })()
  if (E.isLeft(opened)) return opened
  const reader = opened.right
  const changes: Array<Change> = []
  try {
    for (;;) {
      const page = await reader.next()
      if (E.isLeft(page)) return page
      for (const change of page.right.changes) changes.push(change)
      if (bound !== undefined && changes.length > bound.most) bound.isTooMuch = true
      if (bound?.isTooMuch === true) return E.right({ coverage: reader.coverage, changes: [], cursor: null, isTooMuch: true })
      if (bound === undefined && changes.length > spoolLimit) {
        return E.left({ is: 'needs-person', message: `more than ${spoolLimit} changes at once in a flow that must hold them in memory`, mend: 'split the flow; what goes page by page instead is one-way into PostgreSQL, and two-way between tables whose links stand beside the rows, where `syncline reset <connection> --links` puts those of an older flow' })
      }
      if (page.right.last) return E.right({ coverage: reader.coverage, changes, cursor: page.right.resume, isTooMuch: false })
    }
  } finally {
    await reader.close()
  }
}

/** Content of items known by remote id; in batches, gone ones left out. */
export const fetchAll = async (side: Side, remoteIds: ReadonlyArray<string>, signal: AbortSignal): Promise<E.Either<SyncFailure, { readonly items: ReadonlyArray<Item>; readonly bad: ReadonlyArray<Extract<Change, { is: 'bad' }>> }>> => {
  const items: Array<Item> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  for (let i = 0; i < remoteIds.length; i += fetchBatch) {
    const got = await side.fetch(remoteIds.slice(i, i + fetchBatch), signal)()
    if (E.isLeft(got)) return got
    for (const change of got.right) {
      if (change.is === 'item') items.push(change.item)
      if (change.is === 'bad') bad.push(change)
    }
  }
  return E.right({ items, bad })
}

const fetchBatch = 200
