/**
 * Knows that no version is overwritten or deleted before it is stored for good (SYNC.md §A.5 step 7c, §C archive).
 * Content that was not read yet is read for this.
 */
import type { ArchivedVersion } from '#libs/contracts/archive.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import { fetchAll } from './look.ts'
import type { Replaced } from './ports.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { contentOf, endAsIs, hashOfWanted, type Task } from './targets.ts'

/** Tasks whose loser could not be read any more, by the side it stood on: they must not be carried out. */
export type Vanished = ReadonlyMap<Task, SideName>

type Archiving = {
  readonly vanished: Vanished
  /** Stores the others for good. Nothing of them may be lost before it has gone well: a transaction waits for it with its COMMIT. */
  readonly store: () => Promise<E.Either<SyncFailure, void>>
}

export const archive = async (context: FlowContext, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, Vanished>> => {
  const begun = await beginArchive(context, tasks)
  if (E.isLeft(begun)) return begun
  const stored = await begun.right.store()
  return E.isLeft(stored) ? stored : E.right(begun.right.vanished)
}

export const beginArchive = async (context: FlowContext, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, Archiving>> => {
  const vanished = new Map<Task, SideName>()
  const losers: Array<Replaced> = []
  for (const side of ['destination', 'source'] as const) {
    const losing = tasks.filter((task) => (side === 'source' ? task.target.a : task.target.b).is !== 'as-is' && endAsIs(task.entry, side) !== 'absent')
    if (losing.length === 0) continue
    const fetched = await unreadOf(context, side, losing)
    if (E.isLeft(fetched)) return fetched
    for (const task of losing) {
      const item = contentOf(side === 'source' ? task.entry.a : task.entry.b) ?? fetched.right.get(task.entry.key)
      // Gone meanwhile, it seems. What cannot be kept is not overwritten either: it is looked at once more.
      if (item === undefined) vanished.set(task, side)
      else losers.push({ version: versionOf(context, side, task, item), hash: hashOfWanted(task.entry, item.fields) })
    }
  }
  return E.right({ vanished, store: () => storeAll(context, losers) })
}

const storeAll = (context: FlowContext, replaced: ReadonlyArray<Replaced>): Promise<E.Either<SyncFailure, void>> => {
  if (replaced.length === 0) return Promise.resolve(E.right(undefined))
  const stored = inSpan(context, 'sync.archive', (trace) => context.ports.sayArchived(replaced, trace)())
  // Whoever waits for it hears of a throw; who gave up before must not bring the process down by not listening.
  stored.catch(() => undefined)
  return stored
}

/** By key, what was not read yet. */
const unreadOf = async (context: FlowContext, side: SideName, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, ReadonlyMap<string, Item>>> => {
  const contents = new Map<string, Item>()
  const unread = new Map<string, string>()
  for (const { entry } of tasks) {
    if (contentOf(side === 'source' ? entry.a : entry.b) !== undefined) continue
    const end = endAsIs(entry, side)
    if (end !== 'absent') unread.set(end.id, entry.key)
  }
  if (unread.size === 0) return E.right(contents)
  const fetched = await fetchAll(side === 'source' ? context.a : context.b, [...unread.keys()], context.signal)
  if (E.isLeft(fetched)) return fetched
  for (const item of fetched.right.items) contents.set(unread.get(item.remoteId) ?? item.key, item)
  return E.right(contents)
}

const versionOf = ({ connection, flow, item: work, ports }: FlowContext, side: SideName, task: Task, item: Item): ArchivedVersion => {
  const want = side === 'source' ? task.target.a : task.target.b
  const version: ArchivedVersion = {
    conn: connection.id,
    flow: flow.id,
    run: work.run,
    key: task.entry.key,
    side,
    remoteId: item.remoteId,
    kind: flow.kind,
    fields: item.fields,
    at: ports.clock.now(),
    because: task.target.because === 'conflict-loser' ? 'conflict-loser' : want.is === 'remove' ? 'deleted' : 'overwritten',
    version: item.version,
  }
  // What takes its place, by which an undo sees later whether anybody edited it since.
  if (want.is !== 'as-is') version.became = want.is === 'put' ? hashOfWanted(task.entry, want.fields) : null
  if (task.rule !== undefined) version.rule = task.rule
  if (task.provenance !== undefined) version.provenance = [...task.provenance]
  return version
}
