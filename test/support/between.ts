/** What may come between the engine and one of its sides: a person, a failure, a page that breaks off. */
import type { Side, TransactionalCommit, Write, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E, type TE } from '#libs/fp.ts'

export type Between = (name: 'source' | 'destination', side: Side) => Side

/** Something happens at the destination right before the first write to it. */
export const beforeFirstWrite = (act: () => Promise<void>): Between => {
  let happened = false
  const first = async (): Promise<void> => {
    if (!happened) await act()
    happened = true
  }
  return (name, side) => (name === 'source' ? side : {
    ...side,
    write: (writes, signal) => async () => {
      await first()
      return side.write(writes, signal)()
    },
    ...committing(side, (commit, inner) => async () => {
      if (commit.writes.length > 0) await first()
      return inner(commit)()
    }),
  })
}

type Commit = (commit: TransactionalCommit) => TE.TaskEither<SyncFailure, ReadonlyArray<Wrote>>
/** The side's ledger, where it keeps one, with something around its commits. */
const committing = ({ ledger }: Side, around: (commit: TransactionalCommit, inner: Commit) => ReturnType<Commit>): Pick<Side, 'ledger'> =>
  (ledger === undefined ? {} : { ledger: { ...ledger, commit: (commit, signal) => around(commit, (inner) => ledger.commit(inner, signal)) } })

/** Writes of these items to the destination fail for now; the others arrive. */
export const failing = (keys: (key: string) => boolean): Between => (name, side) => {
  if (name === 'source') return side
  const arriving = (writes: ReadonlyArray<Write>) => writes.filter(({ key }) => !keys(key))
  const all = (writes: ReadonlyArray<Write>, wrote: ReadonlyArray<Wrote>): ReadonlyArray<Wrote> => {
    const answers = [...wrote]
    return writes.map(({ key }) => (keys(key) ? { is: 'failed', failure: { is: 'unavailable', message: 'timed out' } } : (answers.shift() ?? { is: 'stale' })))
  }
  return {
    ...side,
    write: (writes, signal) => async () => {
      const wrote = arriving(writes).length === 0 ? E.right([]) : await side.write(arriving(writes), signal)()
      return E.isLeft(wrote) ? wrote : E.right(all(writes, wrote.right))
    },
    ...committing(side, (commit, inner) => async () => {
      const wrote = await inner({ ...commit, writes: arriving(commit.writes), settle: (answers) => commit.settle(all(commit.writes, answers)) })()
      return E.isLeft(wrote) ? wrote : E.right(all(commit.writes, wrote.right))
    }),
  }
}

/** The source is read so many changes at a time, and something happens before each page; a failure is what the page comes to. */
export const inPages = (limit: number, before: (page: number) => SyncFailure | undefined): Between => (name, side) => (name === 'destination' ? side : {
  ...side,
  read: (ask) => async () => {
    const opened = await side.read({ ...ask, limit })()
    if (E.isLeft(opened)) return opened
    let page = 0
    return E.right({
      ...opened.right,
      next: async () => {
        const failure = before(++page)
        return failure === undefined ? opened.right.next() : E.left(failure)
      },
    })
  },
})
