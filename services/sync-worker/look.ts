/**
 * Knows how one side is read to its end before anything is planned (SYNC.md §A.5 step 4). A cursor that is lost means
 * everything is listed again, with the links as the base.
 */
import type { Change, Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
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
}

/** Most changes that one spooled flow holds in memory; a larger source belongs in a streamed one-way flow. */
export const spoolLimit = 500_000

export const look = async (side: Side, cursor: string | null, limit: number, signal: AbortSignal): Promise<E.Either<SyncFailure, Look>> => {
  const first = await readAll(side, cursor, limit, signal)
  if (E.isRight(first)) return E.right({ ...first.right, resynced: false, restored: false })
  if (first.left.is !== 'cursor-lost' || cursor === null) return first
  const again = await readAll(side, null, limit, signal)
  return E.isRight(again) ? E.right({ ...again.right, resynced: true, restored: first.left.code === restoredCode }) : again
}

/** `code` of a `cursor-lost` by which a connector says that its side was restored from a copy, not that a token grew old. */
export const restoredCode = 'restored'

const readAll = async (side: Side, cursor: string | null, limit: number, signal: AbortSignal): Promise<E.Either<SyncFailure, Omit<Look, 'resynced' | 'restored'>>> => {
  const opened = await side.read({ cursor, limit, resuming: false, signal })()
  if (E.isLeft(opened)) return opened
  const reader = opened.right
  const changes: Array<Change> = []
  try {
    for (;;) {
      const page = await reader.next()
      if (E.isLeft(page)) return page
      for (const change of page.right.changes) changes.push(change)
      if (changes.length > spoolLimit) {
        return E.left({ is: 'needs-person', message: `more than ${spoolLimit} changes at once in a flow that must hold them in memory`, mend: 'split the flow, or make it one-way into a transactional destination (postgres), which streams' })
      }
      if (page.right.last) return E.right({ coverage: reader.coverage, changes, cursor: page.right.resume })
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
