/**
 * Knows that what a run creates is noted, so that `syncline undo` can take it out again. After the write, because only then is
 * it certain that the run made it: a crash in between leaves it unnoted, and undo leaves it alone.
 */
import type { Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { settleTask, type Applied } from './apply.ts'
import type { FlowContext } from './run-context.ts'
import type { Stream } from './stream.ts'
import { endAsIs, type Task } from './targets.ts'

/** About 150 B each, at most 600 B (an identity of 500 B): far below the server's limit of 1 MB. */
const itemsPerNote = 500

/** One outcome for each task; undefined = nothing was created by it. */
export const noteCreated = async (context: FlowContext, tasks: ReadonlyArray<Task>, outcomes: ReadonlyArray<Applied | undefined>): Promise<E.Either<SyncFailure, void>> => {
  const { connection, flow, item, ports } = context
  for (const side of ['source', 'destination'] as const) {
    const items = tasks.flatMap(({ entry, target }, i) => {
      const outcome = outcomes[i]
      const link = outcome?.is === 'done' ? outcome.link : undefined
      const isNew = (side === 'source' ? target.a : target.b).is === 'put' && endAsIs(entry, side) === 'absent'
      const [id, hash] = side === 'source' ? [link?.idA, link?.hA] : [link?.idB, link?.hB]
      return isNew && id !== undefined && hash !== undefined ? [{ key: entry.key, id, hash }] : []
    })
    for (let from = 0; from < items.length; from += itemsPerNote) {
      const said = await ports.sayCreated({ conn: connection.id, flow: flow.id, run: item.run, side, at: ports.clock.now(), items: items.slice(from, from + itemsPerNote) }, context.trace)()
      if (E.isLeft(said)) return said
    }
  }
  return E.right(undefined)
}

/** A first load is not noted: it would be row by row, and is undone by emptying the table. */
export const noteStreamed = async (stream: Stream, tasks: ReadonlyArray<Task>, wrote: ReadonlyArray<Wrote>): Promise<E.Either<SyncFailure, void>> => {
  if (stream.phase === 'first') return E.right(undefined)
  const isNew = ({ entry }: Task, i: number): boolean => wrote[i]?.is === 'done' && endAsIs(entry, 'destination') === 'absent'
  if (!tasks.some(isNew)) return E.right(undefined)
  return noteCreated(stream.context, tasks, tasks.map((task, i) => (isNew(task, i) ? settleTask(stream.context, task, undefined, wrote[i]) : undefined)))
}
