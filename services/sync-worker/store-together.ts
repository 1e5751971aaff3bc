/** Knows how the links of a chunk are stored in the same transaction as the writes to the destination (SYNC.md §A.1.4). */
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import type { Together } from './apply.ts'
import type { Remembering } from './flow-ledger.ts'
import type { Task } from './targets.ts'

/** Writes to the destination and stores links with them, all or nothing; `touched`: every link key that `settle` may answer with. */
export type Store = (writes: ReadonlyArray<Write>, touched: ReadonlyArray<string>, settle: (wrote: ReadonlyArray<Wrote>) => Remembering) => Promise<E.Either<SyncFailure, ReadonlyArray<Wrote>>>

type Open = { readonly puts: Array<readonly [linkKey: string, link: Link]>; readonly drops: Array<string> }

/** What was settled without a write goes along. What is stored is taken out of `open`; `isStored`: whose links it was. */
export const storeTogether = (store: Store, open: Open, isStored: Set<Task>): Together => async (writes, tasks, outcomes) => {
  const [puts, drops] = [[...open.puts], [...open.drops]]
  let done: ReadonlyArray<Task> = []
  const wrote = await store(writes, [...tasks.map(({ entry }) => entry.linkKey), ...puts.map(([key]) => key), ...drops], (answers) => {
    const settled = { puts: [...puts], drops: [...drops] }
    const found = outcomes(answers)
    done = tasks.filter((task, i) => {
      const outcome = found[i]
      if (outcome?.is === 'done') keep(settled, task, outcome.link)
      return outcome?.is === 'done'
    })
    return settled
  })
  if (E.isLeft(wrote)) return wrote
  open.puts.length = 0
  open.drops.length = 0
  for (const task of done) isStored.add(task)
  return wrote
}

export const keep = ({ puts, drops }: Open, { entry }: Task, link: Link | undefined): void => {
  if (link === undefined) drops.push(entry.linkKey)
  else puts.push([entry.linkKey, link])
}
