/** Knows how the pages of a stream go by: one is read, and looked up, while the one before it is settled. */
import type { ChangePage, Reader } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { inSpan } from './run-context.ts'
import type { Stream } from './stream.ts'
import { glanceAt, type Glance } from './streamed-glance.ts'
import { crossPage } from './streamed-load.ts'

/** The next page is read, and what it needs looked up, while this one is written: source, destination and worker work at the same time. */
export const readPages = async (stream: Stream, reader: Reader): Promise<E.Either<SyncFailure, ChangePage>> => {
  const { context } = stream
  const read = async (): Promise<{ readonly page: E.Either<SyncFailure, ChangePage>; readonly glance: Glance | undefined }> => {
    const page = await inSpan(context, 'sync.read', () => reader.next())
    return { page, glance: E.isRight(page) && reader.coverage === 'delta' && !context.signal.aborted ? await glanceAt(stream, page.right) : undefined }
  }
  let ahead = read()
  for (;;) {
    const { page, glance } = await ahead
    if (E.isLeft(page)) return E.left({ ...page.left, side: 'source' })
    const { last } = page.right
    if (!last) ahead = read()
    const stopped = context.signal.aborted || !context.hold.isTrusted()
    let isSettled = false
    try {
      const settled = stopped ? E.left(context.whyStopped()) : await crossPage(stream, page.right, reader.coverage, glance)
      if (E.isLeft(settled)) return settled
      isSettled = true
    } finally {
      // The reader must not be closed while it reads, nor may what it throws then be nobody's.
      if (!isSettled && !last) await ahead.catch(() => undefined)
    }
    if (last) return page
  }
}
