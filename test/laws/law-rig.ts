/** Knows what a connector's test must provide to be judged by the laws, and how the laws read a side. */
import { expect } from 'vitest'
import type { TestContext } from 'vitest'
import type { Change, ReadAsk, Side, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { hashOf, type Fields, type Item } from '#libs/domain/record.ts'
import type { TE } from '#libs/fp.ts'

/** An item in canonical form: the fields the side shows when it stores it (unless a write says otherwise). */
export type LawItem = { readonly key: string; readonly fields: Fields }

export type LawRig = {
  /** Opened on a fresh, empty collection; as destination when it can write. */
  readonly side: Side
  /** The same collection, and the same flow's ledger, opened once more: the next worker. */
  readonly reopen: () => Promise<Side>
  /** The nth item (n from 0 to 99) of this kind. Another edition: same key, every other field may differ, at least one does. */
  readonly sample: (n: number, edition?: number) => LawItem

  /** Behind the connector's back: the item with this key is created, or replaced by this content. */
  readonly put: (item: LawItem) => Promise<void>
  /** Behind the connector's back: the item with this key is deleted. Absent where items are never deleted. */
  readonly remove?: (key: string) => Promise<void>
  /** Behind the connector's back: plants one item nobody can read. */
  readonly spoil?: () => Promise<void>
  /** Makes every cursor given so far meaningless. */
  readonly loseCursors?: () => Promise<void>

  /** What is shown of a written item by a side that stores something else than it was sent. */
  readonly asStored?: (item: LawItem) => LawItem
  /** Versions change although the content does not. */
  readonly flakyVersions?: true
  /** Items whose keys are odd: other scripts, spaces, `/`, `%`, `..`, case twins, 500 bytes. Created by writes. */
  readonly odd?: ReadonlyArray<LawItem>
  /** An item this destination will never accept. */
  readonly poison?: LawItem
  /** Texts that must not show in the side's identity. */
  readonly secrets?: ReadonlyArray<string>

  /** Closes every side opened and removes the collection. */
  readonly dispose: () => Promise<void>
}

/** Runs one law on a fresh rig and cleans up. */
export const withRig = (make: () => Promise<LawRig>, law: (rig: LawRig, context: TestContext) => Promise<void>) =>
  async (context: TestContext): Promise<void> => {
    const rig = await make()
    try {
      await law(rig, context)
    } finally {
      await rig.dispose()
    }
  }

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- an interface of vitest can only be added to as one
  interface TaskMeta {
    doesNotApply?: string
  }
}

/** A law about something that this side does not declare is no law for it: told apart, not counted as a skipped test. */
export const doesNotApply = (context: TestContext, why: string): never => {
  context.task.meta.doesNotApply = why
  return context.skip(why)
}

export const never = (): AbortSignal => new AbortController().signal

/** Runs an effect that must succeed. */
export const ok = async <A>(effect: TE.TaskEither<SyncFailure, A>): Promise<A> => {
  const result = await effect()
  if (result._tag === 'Left') throw new Error(`expected success, got ${JSON.stringify(result.left)}`)
  return result.right
}

/** Runs an effect that must fail. */
export const refused = async (effect: TE.TaskEither<SyncFailure, unknown>): Promise<SyncFailure> => {
  const result = await effect()
  if (result._tag === 'Right') throw new Error(`expected a failure, got ${JSON.stringify(result.right)}`)
  expect(result.left.message).not.toBe('')
  return result.left
}

export type Reading = {
  readonly coverage: 'listing' | 'delta'
  readonly items: ReadonlyArray<Item>
  readonly gone: ReadonlyArray<string>
  readonly bad: ReadonlyArray<Extract<Change, { is: 'bad' }>>
  /** Cursor of the next delta. */
  readonly cursor: string | null
  /** How many changes the pages held, before anything was fetched. */
  readonly changes: number
}

/** Reads to the last page, with the contents of what was only seen. */
export const readAll = async (side: Side, ask: Partial<ReadAsk> = {}): Promise<Reading> => {
  const result = await tryReadAll(side, ask)
  if ('is' in result) throw new Error(`expected a reading, got ${JSON.stringify(result)}`)
  return result
}

export const tryReadAll = async (side: Side, ask: Partial<ReadAsk> = {}): Promise<Reading | SyncFailure> => {
  const full: ReadAsk = { cursor: null, limit: 50, resuming: false, signal: never(), ...ask }
  const opened = await side.read(full)()
  if (opened._tag === 'Left') return opened.left
  const reader = opened.right
  try {
    const changes: Array<Change> = []
    for (;;) {
      const page = await reader.next()
      if (page._tag === 'Left') return page.left
      expect(page.right.changes.length, 'changes in one page').toBeLessThanOrEqual(full.limit)
      changes.push(...page.right.changes)
      if (page.right.last) return { coverage: reader.coverage, ...(await sorted(side, changes)), cursor: page.right.resume, changes: changes.length }
    }
  } finally {
    await reader.close()
  }
}

/** What changed since the cursor, as an engine would find it: a lost cursor means a new listing. */
export const readOn = async (side: Side, cursor: string | null): Promise<Reading> => {
  const result = await tryReadAll(side, { cursor })
  if (!('is' in result)) return result
  expect(result.is).toBe('cursor-lost')
  return readAll(side)
}

export const write = async (side: Side, writes: Parameters<Side['write']>[0]): Promise<ReadonlyArray<Wrote>> => {
  const wrote = await ok(side.write(writes, never()))
  expect(wrote.length, 'one answer per write').toBe(writes.length)
  return wrote
}

/** Creates the items through the side, in calls no larger than it takes. */
export const create = async (side: Side, items: ReadonlyArray<LawItem>): Promise<ReadonlyArray<Extract<Wrote, { is: 'done' }>>> => {
  const done: Array<Extract<Wrote, { is: 'done' }>> = []
  for (let from = 0; from < items.length; from += side.capabilities.batchSize) {
    const batch = items.slice(from, from + side.capabilities.batchSize)
    for (const wrote of await write(side, batch.map((item) => ({ do: 'create', ...item })))) done.push(isDone(wrote))
  }
  return done
}

export const isDone = (wrote: Wrote | undefined): Extract<Wrote, { is: 'done' }> => {
  if (wrote?.is !== 'done') throw new Error(`expected done, got ${JSON.stringify(wrote)}`)
  return wrote
}

export const one = <A>(list: ReadonlyArray<A>): A => {
  expect(list.length).toBe(1)
  return list[0] as A
}

/** Key → hash of the fields: equal when the sides hold the same. */
export const contents = (items: ReadonlyArray<LawItem>): ReadonlyMap<string, string> => {
  const known = new Map<string, string>()
  for (const item of items) known.set(item.key, hashOf(item.fields))
  return new Map([...known].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** As `contents`, of items that were written through the side. */
export const written = (rig: LawRig, items: ReadonlyArray<LawItem>): ReadonlyMap<string, string> => contents(items.map((item) => rig.asStored?.(item) ?? item))

const sorted = async (side: Side, changes: ReadonlyArray<Change>) => {
  const items: Array<Item> = []
  const gone: Array<string> = []
  const bad: Array<Extract<Change, { is: 'bad' }>> = []
  const seen: Array<string> = []
  const sort = (change: Change) => {
    if (change.is === 'item') items.push(change.item)
    else if (change.is === 'gone') gone.push(change.remoteId)
    else if (change.is === 'bad') bad.push(change)
    else seen.push(change.remoteId)
  }
  changes.forEach(sort)
  if (seen.length > 0) for (const change of await ok(side.fetch(seen, never()))) sort(change)
  return { items, gone, bad }
}
