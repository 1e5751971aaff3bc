/** Knows how one write reaches a file of a folder, whole or not at all, and only if nobody else was there first. */
import { E } from '../../fp.ts'
import { badItem, type SyncFailure } from '../../domain/failure.ts'
import { hashOf, type Fields } from '../../domain/record.ts'
import type { Write, Wrote } from '../connector.ts'
import { createExclusively, removeIf, replaceIf, type FileFault } from './atomic-file.ts'
import { failureOf } from './faults.ts'
import { openHolders, type FolderIndex } from './folder-index.ts'
import { openItem, type ItemFile } from './folder-items.ts'
import type { ItemFormat } from './item-format.ts'
import { itemNames } from './item-name.ts'
import { writeInJail, type JailFault } from './jail.ts'
import type { Place } from './place.ts'

export type FolderWriter = { readonly place: Place; readonly format: ItemFormat; readonly index: FolderIndex; readonly signal: AbortSignal }

/** One write; whoever calls it refreshed the index. */
export const writeItem = (writer: FolderWriter, write: Write): Promise<Wrote> => {
  switch (write.do) {
    case 'create': return create(writer, write)
    case 'update': return update(writer, write)
    case 'delete': return remove(writer, write)
  }
}

const create = async (writer: FolderWriter, write: Extract<Write, { do: 'create' }>): Promise<Wrote> => {
  const { place, format, index } = writer
  // An item without UID is known by its content, and stays without one (T12).
  const uid = write.key === hashOf(write.fields) ? null : write.key
  const text = textOf(format, uid, write.fields)
  if (E.isLeft(text)) return refused(write.key, text.left)
  const there = await openHolders(place, format, index, [write.key], writer.signal)()
  if (E.isLeft(there)) return { is: 'failed', failure: there.left }
  if (there.right[0] !== undefined) return { is: 'exists', remoteId: there.right[0].name }
  for (const name of itemNames(write.key, format.extension)) {
    const created = await writeInJail(place.jail, name, (path) => createExclusively(path, text.right.bytes))()
    if (E.isRight(created)) {
      index.learn(name, text.right.key)
      return done(name, created.right, write.fields, text.right.fields)
    }
    if (created.left.is !== 'exists' && created.left.is !== 'not-a-file') return failed(created.left, place, name)
    // Somebody was faster by the blink of an eye, or another item has this name.
    const holder = await openItem(place, format, name)
    if (holder.is === 'file' && holder.parsed.key === write.key) return { is: 'exists', remoteId: name }
  }
  return refused(write.key, 'every name it could have is taken by another item')
}

const update = async (writer: FolderWriter, write: Extract<Write, { do: 'update' }>): Promise<Wrote> => {
  const { place, format, index } = writer
  for (let round = 0; round < rounds; round++) {
    const there = await openItem(place, format, write.remoteId)
    if (there.is === 'broken') return { is: 'failed', failure: there.failure }
    if (there.is !== 'file' || (write.expect !== null && there.version !== write.expect)) return { is: 'stale' }
    const text = textOf(format, there.parsed.uid, write.fields, there)
    if (E.isLeft(text)) return refused(write.key, text.left)
    const replaced = await writeInJail(place.jail, write.remoteId, (path) => replaceIf(path, there.version, text.right.bytes))()
    if (E.isRight(replaced)) {
      index.learn(write.remoteId, text.right.key)
      return done(write.remoteId, replaced.right, write.fields, text.right.fields)
    }
    if (!isLost(replaced.left)) return failed(replaced.left, place, write.remoteId)
  }
  return { is: 'stale' }
}

const remove = async ({ place, format, index }: FolderWriter, write: Extract<Write, { do: 'delete' }>): Promise<Wrote> => {
  const there = write.expect === null ? await openItem(place, format, write.remoteId) : null
  const expected = write.expect ?? (there?.is === 'file' || there?.is === 'bad' ? there.version : null)
  if (expected === null) return { is: 'stale' }
  const removed = await writeInJail(place.jail, write.remoteId, (path) => removeIf(path, expected))()
  if (E.isLeft(removed)) return isLost(removed.left) ? { is: 'stale' } : failed(removed.left, place, write.remoteId)
  index.forget(write.remoteId)
  return { is: 'done', remoteId: write.remoteId, version: null }
}

/** Looks at a file that somebody else keeps changing, when any version may be overwritten. */
const rounds = 3

type Text = { readonly bytes: Uint8Array; readonly fields: Fields; readonly key: string }

/** The new text, and what it says when it is read again; Left: it would not be read again. */
const textOf = (format: ItemFormat, uid: string | null, fields: Fields, previous?: ItemFile): E.Either<string, Text> => {
  const text = format.format(uid, fields, previous?.text)
  if (E.isLeft(text)) return text
  const parsed = format.parse(text.right)
  if (E.isLeft(parsed)) return parsed
  return E.right({ bytes: Buffer.from(text.right), fields: parsed.right.fields, key: parsed.right.key })
}

const done = (remoteId: string, version: string, sent: Fields, stored: Fields): Wrote =>
  ({ is: 'done', remoteId, version, ...(hashOf(sent) === hashOf(stored) ? {} : { fields: stored }) })

const refused = (key: string, report: string): Wrote => ({ is: 'refused', failure: badItem(`cannot be written as a file: ${report}`, { item: key }) })

const isLost = (fault: FileFault | JailFault): boolean => fault.is === 'missing' || fault.is === 'changed' || fault.is === 'not-a-file'

/** A missing folder shows as a missing file here: the person is told of the folder. */
const failed = (fault: FileFault | JailFault, place: Place, name: string): Wrote => {
  const failure: SyncFailure = failureOf(fault, fault.is === 'missing' ? place.told : `${name} in ${place.told}`)
  return failure.is === 'bad-item' ? { is: 'refused', failure } : { is: 'failed', failure }
}
