/** Knows how one side is read page by page while the last page is settled. Does not know what a page means. */
import type { ChangePage, Reader } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import { inSpan, type FlowContext } from './run-context.ts'

export type Paged = {
  /** Where the next run reads on. */
  readonly cursor: string | null
  readonly isEmpty: boolean
}

/** As many as go in one transaction; of 1,000 to 4,000 this is the quickest, and of larger ones more is garbage (measured, 100,000 rows). */
const pageSize = 2_000

export const openReader = async (context: FlowContext, name: SideName, cursor: string | null): Promise<E.Either<SyncFailure, Reader>> => {
  const side = name === 'source' ? context.a : context.b
  const opened = await side.read({ cursor, limit: Math.max(context.flow.batchSize ?? 0, pageSize), resuming: false, signal: context.signal })()
  return E.isLeft(opened) ? E.left(toldOf(opened.left, name)) : opened
}

export const eachPage = async (context: FlowContext, name: SideName, reader: Reader, settle: (page: ChangePage) => Promise<E.Either<SyncFailure, void>>): Promise<E.Either<SyncFailure, Paged>> => {
  const read = (): Promise<E.Either<SyncFailure, ChangePage>> => inSpan(context, 'sync.read', () => reader.next())
  let isEmpty = true
  let ahead = read()
  for (;;) {
    context.step('reading')
    const page = await ahead
    if (E.isLeft(page)) return E.left(toldOf(page.left, name))
    const { changes, last, resume } = page.right
    isEmpty &&= changes.length === 0
    if (!last) ahead = read()
    let isSettled = false
    try {
      const settled = context.signal.aborted || !context.hold.isTrusted() ? E.left(context.whyStopped()) : await settle(page.right)
      if (E.isLeft(settled)) return settled
      isSettled = true
    } finally {
      // The reader must not be closed while it reads, nor may what it throws then be nobody's.
      if (!isSettled && !last) await ahead.catch(() => undefined)
    }
    if (last) return E.right({ cursor: resume, isEmpty })
  }
}

/** It was good a moment ago, when it was looked at how much there is: the next run finds out what to do about it. */
const toldOf = (failure: SyncFailure, side: SideName): SyncFailure => (failure.is === 'cursor-lost' ? { ...failure, is: 'unavailable', side } : { ...failure, side })
