/** Knows how a connection's past is read and cleared. Does not know how it is written: record.ts does. */
import type { Alert } from '#libs/contracts/alert.ts'
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import type { HistoryEntry } from '#libs/contracts/status.ts'
import { E } from '#libs/fp.ts'
import type { Directory } from './directory.ts'
import type { HistoryShelf, Trouble } from './ports.ts'
import { shownRun } from './present.ts'
import { limitIn, refusal } from './question.ts'
import type { Refusal } from './question.ts'
import { notNow } from './refusals.ts'

export type HistoryPorts = {
  readonly history: HistoryShelf
  readonly directory: Directory
  readonly alert: (alert: Alert) => void
  readonly now: () => number
}

/** Newest first (R 10.5); of all connections when none is named. A removed connection keeps its history. */
export const readHistory = (ports: HistoryPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  const limit = limitIn(question, 10, 1_000)
  if (limit._tag === 'Left') return limit
  const { connection, outcome } = question
  const read = connection === undefined ? await ports.history.newest(limit.right)() : await ports.history.all(connection)()
  if (read._tag === 'Left') return E.left(notNow('the history', read.left))
  if (connection !== undefined && read.right.length === 0 && ports.directory.find(connection) === undefined) return E.left(unknownConnection(connection))
  const entries = newestFirst(read.right).filter((entry) => outcome === undefined || entry.outcome === outcome)
  return E.right({ history: entries.slice(0, limit.right).map(shownRun) })
}

/** Written in the order of arrival, which over several trackers is not quite the order in which the runs ended. */
export const newestFirst = (entries: ReadonlyArray<HistoryEntry>): ReadonlyArray<HistoryEntry> =>
  [...entries].sort((a, b) => b.finishedAt - a.finishedAt || (a.run < b.run ? 1 : -1))

export const unknownConnection = (conn: string): Refusal =>
  refusal(404, 'unknown-connection', `there is no connection ${conn}`, '`syncline get` lists them')

/** Keeps the latest entry unless told otherwise (R 10.7). Repeating it is harmless. */
export const clearHistory = (ports: HistoryPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  const all = question.connection === undefined ? await ports.history.connections() : E.right([question.connection])
  if (all._tag === 'Left') return E.left(notNow('the history', all.left))
  let deleted = 0
  for (const conn of all.right) {
    const cleared = await clearOne(ports, conn, question.keep_latest !== false)
    if (cleared._tag === 'Left') return E.left(notNow(`the history of ${conn}`, cleared.left))
    deleted += cleared.right
    if (cleared.right > 0) ports.alert({ conn, kind: 'history-cleared', at: ports.now(), count: cleared.right, message: `${cleared.right} history entries deleted` })
  }
  return E.right({ deleted_count: deleted, connections: all.right.length })
}

const attempts = 5

/** A run that ends meanwhile moves the revision: then everything is read again, so its entry is never among the deleted. */
const clearOne = async (ports: HistoryPorts, conn: string, keepLatest: boolean): Promise<E.Either<Trouble, number>> => {
  for (let attempt = 1; ; attempt++) {
    const latest = await ports.history.latest(conn)()
    if (latest._tag === 'Left') return latest
    const all = await ports.history.all(conn)()
    if (all._tag === 'Left') return all
    const [newest] = newestFirst(all.right)
    const deleted = all.right.length - (keepLatest ? 1 : 0)
    if (newest === undefined || deleted <= 0) return E.right(0)
    const { revision } = latest.right
    const cleared = await (keepLatest ? ports.history.keepOnly(conn, newest, revision) : ports.history.removeAll(conn, revision))()
    if (cleared._tag === 'Right') return E.right(deleted)
    if (cleared.left.is !== 'lost-race' || attempt >= attempts) return cleared
  }
}
