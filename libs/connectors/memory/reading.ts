/**
 * Knows the pages of a listing and of a delta. Cursors are `{era, place}` of the journal; inside a listing they also hold
 * the remote id after which to read on. An item made after a listing began is left to the next delta (T43).
 */
import { E } from '../../fp.ts'
import { unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { Change, ReadAsk, Reader } from '../connector.ts'
import type { MemoryOptions } from './options.ts'
import { cancelled, shown, versionOf } from './showing.ts'
import type { JournalEntry, MemoryStore, Stored } from './store.ts'

type Cursor = { readonly era: number; readonly place: number; readonly after?: string }
/** One change to come: looked up when its page is read, so that it shows the content of that moment. */
type Step = { readonly change: () => Change | null; readonly resume: Cursor | null }

export const memoryReader = (store: MemoryStore, options: MemoryOptions, ask: ReadAsk): E.Either<SyncFailure, Reader> => {
  const now: Cursor = { era: store.era(), place: store.place() }
  const cursor = ask.cursor === null || (options.delta === false && !ask.resuming) ? null : cursorIn(ask.cursor)
  if (cursor === 'not ours' || (cursor !== null && cursor.era !== now.era)) return E.left({ is: 'cursor-lost', message: 'this cursor means nothing any more' })
  const isListing = cursor === null || (ask.resuming && cursor.after !== undefined)
  const steps = isListing ? listing(store, options, cursor ?? now) : delta(store, options, cursor)
  return E.right(pages(store, options, ask, isListing ? 'listing' : 'delta', steps, isListing ? (cursor ?? now) : now))
}

const listing = (store: MemoryStore, options: MemoryOptions, { era, place, after }: Cursor): ReadonlyArray<Step> =>
  store.all()
    .filter(({ remoteId }) => after === undefined || remoteId > after)
    .flatMap(({ remoteId }) => Array.from({ length: options.repeats ?? 1 }, (): Step => ({
      change: () => inListing(store, options, store.get(remoteId)),
      resume: options.resumableListing === false ? null : { era, place, after: remoteId },
    })))

const inListing = (store: MemoryStore, options: MemoryOptions, stored: Stored | undefined): Change | null => {
  if (stored === undefined) return null
  if (options.seenOnly === true) return { is: 'seen', remoteId: stored.remoteId, version: versionOf(store, stored, options) }
  return shown(store, stored, options)
}

const delta = (store: MemoryStore, options: MemoryOptions, { era, place }: Cursor): ReadonlyArray<Step> =>
  store.changesAfter(place).map((entry): Step => ({ change: () => inDelta(store, options, entry), resume: { era, place: entry.place } }))

const inDelta = (store: MemoryStore, options: MemoryOptions, { remoteId, key }: JournalEntry): Change | null => {
  const stored = store.get(remoteId)
  if (stored !== undefined) return shown(store, stored, options)
  return options.tombstones === false ? null : { is: 'gone', remoteId, key }
}

const pages = (store: MemoryStore, options: MemoryOptions, ask: ReadAsk, coverage: Reader['coverage'], steps: ReadonlyArray<Step>, end: Cursor): Reader => {
  const size = Math.max(1, Math.min(ask.limit, options.pageSize ?? ask.limit))
  let from = 0
  return {
    coverage,
    next: async () => {
      store.mischief.beforePage?.()
      if (ask.signal.aborted) return E.left(cancelled)
      if (store.mischief.failReads > 0) {
        store.mischief.failReads -= 1
        return E.left(store.mischief.failure ?? unavailable(`${store.name} does not answer`))
      }
      const page = steps.slice(from, from + size)
      from += size
      const last = from >= steps.length
      const resume = last ? (options.delta === false ? null : { era: end.era, place: end.place }) : (page.at(-1)?.resume ?? null)
      return E.right({ changes: page.flatMap((step) => step.change() ?? []), resume: resume === null ? null : JSON.stringify(resume), last })
    },
    close: async () => undefined,
  }
}

const cursorIn = (text: string): Cursor | 'not ours' => {
  const parsed = E.tryCatch(() => JSON.parse(text) as Partial<Cursor>, () => null)
  if (E.isLeft(parsed) || typeof parsed.right?.era !== 'number' || typeof parsed.right.place !== 'number') return 'not ours'
  return { era: parsed.right.era, place: parsed.right.place, ...(parsed.right.after === undefined ? {} : { after: parsed.right.after }) }
}
