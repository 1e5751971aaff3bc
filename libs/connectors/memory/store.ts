/**
 * Knows an outside system that lives in memory: its items, the journal its cursors point into, a log of every write that
 * reached it, and the mischief it was told to do. Does not know the connector contract's pages: memory.ts does.
 */
import type { Checkpoint } from '../../domain/checkpoint.ts'
import type { Link } from '../../domain/link.ts'
import type { Fields } from '../../domain/record.ts'
import { noMischief, type MemoryWrite, type Mischief } from './mischief.ts'

export type Stored = {
  readonly remoteId: string
  readonly key: string
  readonly fields: Fields
  /** Place in the journal of its last change; grows with every change and every `touch`. */
  readonly revision: number
  readonly modifiedAt?: string
  /** Why nobody can read it. */
  readonly spoilt?: string
}

export type MemoryStore = {
  readonly name: string
  readonly mischief: Mischief
  /** Every write that reached the store, in order. Filter by `applied` to see what changed something. */
  readonly writes: Array<MemoryWrite>
  /** All items by remote id. */
  readonly all: () => ReadonlyArray<Stored>
  readonly get: (remoteId: string) => Stored | undefined
  readonly byKey: (key: string) => ReadonlyArray<Stored>
  /** Somebody else's edit: replaces the item with this remote id, else the one with this key, else creates one. */
  readonly put: (item: PutItem) => Stored
  readonly remove: (remoteId: string) => void
  /** Somebody else's edits, by key. */
  readonly removeKey: (key: string) => void
  readonly rename: (remoteId: string, to: string) => void
  /** Another version of the same content. */
  readonly touch: (remoteId: string) => void
  readonly spoil: (remoteId: string, reason: string) => void
  /** What changed after this place in the journal, oldest first; one entry per remote id. */
  readonly changesAfter: (place: number) => ReadonlyArray<JournalEntry>
  readonly place: () => number
  /** Cursors of an earlier era mean nothing. */
  readonly era: () => number
  readonly expireCursors: () => void
  /** Never the same number twice: what makes flaky versions differ. */
  readonly nextLook: () => number
  /** Runs; when it throws, the items and the journal are as before. */
  readonly transaction: <A>(run: () => A) => A
  /** Links and checkpoint kept beside the data, by flow. */
  readonly ledgers: Map<string, StoredLedger>
}

/** `fence`: of the last claim; `links` by link key. */
export type StoredLedger = { readonly fence: number; readonly checkpoint: Checkpoint | null; readonly links: ReadonlyMap<string, Link> }

export type PutItem = { readonly key: string; readonly fields: Fields; readonly remoteId?: string; readonly modifiedAt?: string }
export type JournalEntry = { readonly remoteId: string; readonly key: string; readonly place: number; readonly gone: boolean }

export const memoryStore = (name: string, items: ReadonlyArray<PutItem> = []): MemoryStore => {
  const stored = new Map<string, Stored>()
  const idsByKey = new Map<string, Set<string>>()
  const journal = new Map<string, JournalEntry>()
  let place = 0
  let era = 1
  let made = 0
  let looks = 0

  const note = (remoteId: string, key: string, gone: boolean): number => {
    place += 1
    // Deleted first, so that the map stays in journal order.
    journal.delete(remoteId)
    journal.set(remoteId, { remoteId, key, place, gone })
    return place
  }
  const forget = (remoteId: string) => {
    const known = stored.get(remoteId)
    if (known === undefined) return
    stored.delete(remoteId)
    idsByKey.get(known.key)?.delete(remoteId)
  }
  const keep = (item: Omit<Stored, 'revision'>): Stored => {
    forget(item.remoteId)
    const kept: Stored = { ...item, revision: note(item.remoteId, item.key, false) }
    stored.set(item.remoteId, kept)
    idsByKey.set(item.key, (idsByKey.get(item.key) ?? new Set()).add(item.remoteId))
    return kept
  }
  const remove = (remoteId: string) => {
    const known = stored.get(remoteId)
    if (known === undefined) return
    forget(remoteId)
    note(remoteId, known.key, true)
  }
  const put = (item: PutItem): Stored => {
    const [sameKey] = idsByKey.get(item.key) ?? []
    return keep({ ...item, remoteId: item.remoteId ?? sameKey ?? `${name}${(made += 1)}` })
  }
  const change = (remoteId: string, to: Partial<Stored>) => {
    const known = stored.get(remoteId)
    if (known === undefined) throw new Error(`${name} holds no ${remoteId}`)
    if (to.remoteId !== undefined) remove(remoteId)
    keep({ ...known, ...to })
  }

  const transaction = <A>(run: () => A): A => {
    const [before, changes, at] = [[...stored.values()], [...journal], place]
    try {
      return run()
    } catch (error) {
      for (const remoteId of [...stored.keys()]) forget(remoteId)
      for (const item of before) keep(item)
      journal.clear()
      for (const [remoteId, entry] of changes) journal.set(remoteId, entry)
      // With the revisions they had.
      for (const item of before) stored.set(item.remoteId, item)
      place = at
      throw error
    }
  }

  for (const item of items) put(item)
  return {
    name,
    mischief: noMischief(),
    writes: [],
    all: () => [...stored.values()].sort((a, b) => (a.remoteId < b.remoteId ? -1 : 1)),
    get: (remoteId) => stored.get(remoteId),
    byKey: (key) => [...(idsByKey.get(key) ?? [])].flatMap((remoteId) => stored.get(remoteId) ?? []),
    put,
    remove,
    removeKey: (key) => { for (const remoteId of [...(idsByKey.get(key) ?? [])]) remove(remoteId) },
    rename: (remoteId, to) => change(remoteId, { remoteId: to }),
    touch: (remoteId) => change(remoteId, {}),
    spoil: (remoteId, reason) => change(remoteId, { spoilt: reason }),
    changesAfter: (after) => [...journal.values()].filter((entry) => entry.place > after),
    place: () => place,
    era: () => era,
    expireCursors: () => { era += 1 },
    nextLook: () => (looks += 1),
    transaction,
    ledgers: new Map(),
  }
}
