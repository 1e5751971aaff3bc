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
import { inSpan, type FlowContext } from './run-context.ts'
import type { Entry } from './gather.ts'
import { contentOf, endAsIs, hashOfWanted, type Task, type Want } from './targets.ts'

/** Tasks whose loser could not be read any more, by the side it stood on: they must not be carried out. */
export type Vanished = ReadonlyMap<Task, SideName>

type Archiving = { readonly vanished: Vanished; readonly stored: Promise<E.Either<SyncFailure, void>> }

export const archive = async (context: FlowContext, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, Vanished>> => {
  const begun = await beginArchive(context, tasks)
  if (E.isLeft(begun)) return begun
  const stored = await begun.right.stored
  return E.isLeft(stored) ? stored : E.right(begun.right.vanished)
}

/** Nothing of it may be lost before `stored` has gone well: a transaction waits for it with its COMMIT. */
export const beginArchive = async (context: FlowContext, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, Archiving>> => {
  const vanished = new Map<Task, SideName>()
  const losers: Array<ArchivedVersion> = []
  for (const side of ['destination', 'source'] as const) {
    const losing = tasks.filter((task) => (side === 'source' ? task.target.a : task.target.b).is !== 'as-is' && endAsIs(task.entry, side) !== 'absent')
    if (losing.length === 0) continue
    const contents = await contentsOf(context, side, losing)
    if (E.isLeft(contents)) return contents
    for (const task of losing) {
      const item = contents.right.get(task.entry.key)
      // Gone meanwhile, it seems. What cannot be kept is not overwritten either: it is looked at once more.
      if (item === undefined) vanished.set(task, side)
      else losers.push(versionOf(context, side, task, item))
    }
  }
  const stored = losers.length === 0 ? Promise.resolve(E.right(undefined)) : storeAll(context, losers)
  // Whoever waits for it hears of a throw; who gave up before must not bring the process down by not listening.
  stored.catch(() => undefined)
  return E.right({ vanished, stored })
}

const storeAll = (context: FlowContext, versions: ReadonlyArray<ArchivedVersion>): Promise<E.Either<SyncFailure, void>> =>
  inSpan(context, 'sync.archive', async (trace) => (await Promise.all(versions.map((version) => context.ports.sayArchived(version, trace)()))).find(E.isLeft) ?? E.right(undefined))

const contentsOf = async (context: FlowContext, side: SideName, tasks: ReadonlyArray<Task>): Promise<E.Either<SyncFailure, ReadonlyMap<string, Item>>> => {
  const contents = new Map<string, Item>()
  const unread = new Map<string, string>()
  for (const { entry } of tasks) {
    const item = contentOf(side === 'source' ? entry.a : entry.b)
    const end = endAsIs(entry, side)
    if (item !== undefined) contents.set(entry.key, item)
    else if (end !== 'absent') unread.set(end.id, entry.key)
  }
  if (unread.size === 0) return E.right(contents)
  const fetched = await fetchAll(side === 'source' ? context.a : context.b, [...unread.keys()], context.signal)
  if (E.isLeft(fetched)) return fetched
  for (const item of fetched.right.items) contents.set(unread.get(item.remoteId) ?? item.key, item)
  return E.right(contents)
}

const versionOf = ({ connection, flow, item: work, ports }: FlowContext, side: SideName, task: Task, item: Item): ArchivedVersion => ({
  conn: connection.id,
  flow: flow.id,
  run: work.run,
  key: task.entry.key,
  side,
  remoteId: item.remoteId,
  kind: flow.kind,
  fields: item.fields,
  at: ports.clock.now(),
  because: task.target.because === 'conflict-loser' ? 'conflict-loser' : (side === 'source' ? task.target.a : task.target.b).is === 'remove' ? 'deleted' : 'overwritten',
  version: item.version,
  ...becameOf(task.entry, side === 'source' ? task.target.a : task.target.b),
  ...(task.rule === undefined ? {} : { rule: task.rule }),
  ...(task.provenance === undefined ? {} : { provenance: [...task.provenance] }),
})

/** What takes its place, by which an undo sees later whether anybody edited it since. */
const becameOf = (entry: Entry, want: Want): Pick<ArchivedVersion, 'became'> => (want.is === 'as-is' ? {} : { became: want.is === 'put' ? hashOfWanted(entry, want.fields) : null })
