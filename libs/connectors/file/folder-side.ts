/**
 * Knows a folder with one item per file (vdir) as a side. The cursor is a digest of names, versions and the folder's own
 * change: when it is the same nothing happened; otherwise everything is listed by name and version, and the engine fetches
 * what is news to it.
 */
import { E, pipe, TE } from '../../fp.ts'
import { badItem, needsPerson, type SyncFailure } from '../../domain/failure.ts'
import type { Change, ReadAsk, Reader, Side, Write, Wrote } from '../connector.ts'
import { cancelled } from './faults.ts'
import { openHolders, folderIndex } from './folder-index.ts'
import { itemOf, openItems } from './folder-items.ts'
import { listFolder, type Entry, type Listing } from './folder-listing.ts'
import { writeItem, type FolderWriter } from './folder-writing.ts'
import { itemFormats } from './item-format.ts'
import type { FolderFormat } from './options.ts'
import type { Place } from './place.ts'

export const folderSide = (place: Place, folderFormat: FolderFormat, readOnly: boolean): Side => {
  const format = itemFormats[folderFormat]
  const index = folderIndex(place, format)
  return {
    capabilities: {
      canWrite: !readOnly,
      delta: true,
      // A delta is only ever "nothing happened"; a deletion shows as absence from the listing that comes instead.
      tombstones: true,
      find: true,
      precondition: 'version',
      resumableListing: false,
      batchSize: 100,
    },
    identity: `file:${place.real}`,
    read: (ask) => pipe(listFolder(place, format.extension, ask.signal), TE.map((listing) => readerOf(listing, ask))),
    fetch: (remoteIds, signal) => pipe(
      openItems(place, format, remoteIds, signal),
      TE.map((opened) => opened.map((one): Change => (one.is === 'file' ? { is: 'item', item: itemOf(one) } : one))),
    ),
    find: (keys, signal) => pipe(index.refresh(signal), TE.flatMap(() => openHolders(place, format, index, keys, signal)), TE.map((found) => found.map(itemOf))),
    write: (writes, signal) => async () => {
      if (readOnly) return E.left(needsPerson(`${place.told} is set to be read only`, 'remove `readOnly`, or make the flow one-way'))
      const creates = writes.some((write) => write.do === 'create')
      const refreshed = creates ? await index.refresh(signal)() : E.right(undefined)
      return E.isLeft(refreshed) ? refreshed : E.right(await writeAll({ place, format, index, signal }, writes))
    },
    close: async () => undefined,
  }
}

const readerOf = ({ entries, digest }: Listing, ask: ReadAsk): Reader => {
  if (ask.cursor === digest) {
    return { coverage: 'delta', next: TE.right({ changes: [], resume: digest, last: true }), close: async () => undefined }
  }
  let from = 0
  return {
    coverage: 'listing',
    next: async () => {
      if (ask.signal.aborted) return E.left(cancelled)
      const page = entries.slice(from, from + ask.limit)
      from += page.length
      const last = from >= entries.length
      return E.right({ changes: page.map(changeOf), resume: last ? digest : null, last })
    },
    close: async () => undefined,
  }
}

const changeOf = ({ name, version, fault }: Entry): Change =>
  fault === undefined
    ? { is: 'seen', remoteId: name, version }
    : { is: 'bad', remoteId: name, version, failure: badItem(`${name}: ${fault}`, { item: name }) }

/** One after the other: each is made durable before the next begins. What stops one for good stops all behind it. */
const writeAll = async (writer: FolderWriter, writes: ReadonlyArray<Write>): Promise<ReadonlyArray<Wrote>> => {
  const answers: Array<Wrote> = []
  let stop: SyncFailure | null = null
  for (const write of writes) {
    if (writer.signal.aborted) stop = cancelled
    const answer: Wrote = stop === null ? await writeItem(writer, write) : { is: 'failed', failure: stop }
    if (answer.is === 'failed' && answer.failure.is === 'needs-person') stop = answer.failure
    answers.push(answer)
  }
  return answers
}
