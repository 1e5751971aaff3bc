/**
 * Knows how targets become writes with preconditions, and what each item looks like afterwards. A side that moved under
 * us is read again and decided again, three rounds, then the one item is parked (SYNC.md §A.3).
 */
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { archive, type Vanished } from './archive.ts'
import type { SideName } from './classify.ts'
import { writesAfter } from './damping.ts'
import type { Entry } from './gather.ts'
import { linkOf } from './link-of.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { contentOf, endAsIs, hashOfWanted, type End, type Target, type Task, type Want } from './targets.ts'

export type Applied =
  | { readonly is: 'done'; readonly link: Link | undefined }
  /** A precondition failed or a create met an item: `remoteId` is what to read again on `side`. */
  | { readonly is: 'moved'; readonly side: SideName; readonly remoteId: string }
  | { readonly is: 'refused'; readonly side: SideName; readonly failure: SyncFailure }
  | { readonly is: 'failed'; readonly failure: SyncFailure }

type Answers = ReadonlyMap<number, Wrote>
/** Writes to the destination and, in the same transaction, remembers what `outcomes` makes of the answers. One answer per write. */
export type Together = (writes: ReadonlyArray<Write>, tasks: ReadonlyArray<Task>, outcomes: (wrote: ReadonlyArray<Wrote>) => ReadonlyArray<Applied>) => Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>>

/** One answer per task. A left ends the flow: a side as a whole could not be written, or the run must stop. */
export const applyTasks = async (context: FlowContext, tasks: ReadonlyArray<Task>, together?: Together): Promise<E.Either<SyncFailure, ReadonlyArray<Applied>>> => {
  const stored = await archive(context, tasks)
  if (E.isLeft(stored)) return stored
  const vanished = stored.right
  const outcomes = (left: Answers, right: Answers): ReadonlyArray<Applied> => tasks.map((task, i) => {
    const side = vanished.get(task)
    return side === undefined ? settleTask(context, task, left.get(i), right.get(i)) : movedAt(task.entry, side)
  })
  if (together !== undefined) return applyTogether(context, tasks, vanished, outcomes, together)
  const right = await writeSide(context, 'destination', tasks, vanished)
  if (E.isLeft(right)) return right
  const left = await writeSide(context, 'source', tasks, vanished)
  return E.isLeft(left) ? left : E.right(outcomes(left.right, right.right))
}

/** The source first: what is remembered beside the rows of the destination tells what became of both. */
const applyTogether = async (context: FlowContext, tasks: ReadonlyArray<Task>, vanished: Vanished, outcomes: (left: Answers, right: Answers) => ReadonlyArray<Applied>, together: Together): Promise<E.Either<SyncFailure, ReadonlyArray<Applied>>> => {
  const source = await writeSide(context, 'source', tasks, vanished)
  if (E.isLeft(source) && (context.signal.aborted || !context.hold.isTrusted())) return source
  // A source that cannot be written as a whole: what goes the other way still does (T21).
  const left: Answers = E.isRight(source) ? source.right : new Map(writesTo('source', tasks, vanished).map(([index]) => [index, { is: 'failed', failure: source.left }]))
  const planned = writesTo('destination', tasks, vanished)
  const right = (wrote: ReadonlyArray<Wrote>): Answers => new Map(planned.flatMap(([index], i) => (wrote[i] === undefined ? [] : [[index, wrote[i]]])))
  if (planned.length === 0) return E.isLeft(source) ? source : E.right(outcomes(left, new Map()))
  let last: ReadonlyArray<Applied> = []
  const wrote = await inSpan(context, 'sync.write', () => together(planned.map(([, write]) => write), tasks, (answers) => (last = outcomes(left, right(answers)))))
  if (E.isLeft(wrote)) return wrote
  return E.isLeft(source) ? source : E.right(last)
}

const movedAt = (entry: Entry, side: SideName): Applied => {
  const end = endAsIs(entry, side)
  return { is: 'moved', side, remoteId: end === 'absent' ? '' : end.id }
}

/** Answers by the task's index; a task that leaves this side as it is has none. */
const writeSide = async (context: FlowContext, name: SideName, tasks: ReadonlyArray<Task>, vanished: Vanished): Promise<E.Either<SyncFailure, ReadonlyMap<number, Wrote>>> => {
  const side = name === 'source' ? context.a : context.b
  const planned = writesTo(name, tasks, vanished)
  const answers = new Map<number, Wrote>()
  for (let from = 0; from < planned.length; from += side.capabilities.batchSize) {
    // A worker that may no longer own the lease writes nothing more (SYNC.md §A.5 step 7a).
    if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
    const batch = planned.slice(from, from + side.capabilities.batchSize)
    const wrote = await inSpan(context, 'sync.write', () => side.write(batch.map(([, write]) => write), context.signal)())
    if (E.isLeft(wrote)) return wrote
    batch.forEach(([index], i) => {
      const answer = wrote.right[i]
      if (answer !== undefined) answers.set(index, answer)
    })
  }
  return E.right(answers)
}

const writesTo = (name: SideName, tasks: ReadonlyArray<Task>, vanished: Vanished): ReadonlyArray<readonly [index: number, write: Write]> =>
  tasks.flatMap((task, i) => {
    const write = vanished.has(task) ? undefined : writeOf(task, name)
    return write === undefined ? [] : [[i, write] as const]
  })

export const writeOf = ({ entry, target }: Task, name: SideName): Write | undefined => {
  const want = name === 'source' ? target.a : target.b
  const end = endAsIs(entry, name)
  switch (want.is) {
    case 'as-is':
      return undefined
    case 'put':
      return end === 'absent'
        ? { do: 'create', key: entry.key, fields: want.fields }
        : { do: 'update', key: entry.key, remoteId: end.id, expect: end.version, fields: want.fields }
    case 'remove':
      return end === 'absent' ? undefined : { do: 'delete', key: entry.key, remoteId: end.id, expect: end.version }
  }
}

export const settleTask = (context: FlowContext, task: Task, a: Wrote | undefined, b: Wrote | undefined): Applied => {
  const { entry, target } = task
  const undone = undoneBy(entry, 'destination', b) ?? undoneBy(entry, 'source', a)
  if (undone !== undefined) return undone
  const endA = endAfter(entry, 'source', target.a, a)
  const endB = endAfter(entry, 'destination', target.b, b)
  const agreed = agreedContent(entry, target)
  const now = context.ports.clock.now()
  return {
    is: 'done',
    link: linkOf(entry, endA, endB, {
      keepBase: context.connection.strategy === 'merge',
      ...(agreed === undefined ? {} : { agreed }),
      ...(a === undefined ? {} : { wroteA: now }),
      ...(b === undefined ? {} : { wroteB: now }),
      ...(context.flow.direction === 'two-way' ? { writes: writesAfter(entry, target, now) } : {}),
    }),
  }
}

const undoneBy = (entry: Entry, side: SideName, wrote: Wrote | undefined): Applied | undefined => {
  if (wrote === undefined || wrote.is === 'done') return undefined
  if (wrote.is === 'refused') return { is: 'refused', side, failure: wrote.failure }
  if (wrote.is === 'failed') return { is: 'failed', failure: wrote.failure }
  return wrote.is === 'exists' ? { is: 'moved', side, remoteId: wrote.remoteId } : movedAt(entry, side)
}

/** The hash comes from what the side says it stored, else from what was sent (SYNC.md §A.5 step 7e). */
const endAfter = (entry: Entry, side: SideName, want: Want, wrote: Wrote | undefined): End => {
  if (want.is === 'as-is' || wrote?.is !== 'done') return want.is === 'remove' ? 'absent' : endAsIs(entry, side)
  if (want.is === 'remove') return 'absent'
  return { id: wrote.remoteId, version: wrote.version, hash: wrote.fields === undefined ? hashOfWanted(entry, want.fields) : hashOf(wrote.fields) }
}

const agreedContent = (entry: Entry, target: Target): Fields | undefined => {
  if (target.b.is === 'put') return target.b.fields
  if (target.a.is === 'put') return target.a.fields
  return contentOf(entry.a)?.fields ?? contentOf(entry.b)?.fields
}
