/**
 * Knows how what was heard of a connection becomes durable: history first, then the status, then the statistics, each by
 * compare-and-set. Does not know how they follow from what was heard: fold.ts and tally.ts do.
 *
 * Whoever breaks off in between leaves a message that comes again, and each of the three knows by itself whether it has
 * the run already: history by its entries, status by `lastRun` and the fence, statistics by the names of the runs in it.
 * Quiet runs wait in the status until there are enough of them for a write of the statistics: one write for most runs.
 */
import type { Alert } from '#libs/contracts/alert.ts'
import type { Stats, Status } from '#libs/contracts/status.ts'
import { E, TE } from '#libs/fp.ts'
import { keepTally, mostUncounted, waitingFor, waitsIn } from './keep-tally.ts'
import type { HistoryShelf, Kept, Shelf, Trouble } from './ports.ts'
import type { Recent } from './recent.ts'
import { count, countQuiet, quietRunOf } from './tally.ts'
import { isEntry } from './told.ts'
import { foldTurn } from './turn.ts'
import type { Heard, Task } from './turn.ts'

/** What was last seen or written of a connection. Only a guess: every write proves it by its revision. */
export type Guess = {
  readonly status: Kept<Status>
  readonly stats?: Kept<Stats>
  /** `ahead`: runs in the history that ended after the status' last one. */
  readonly history?: { readonly revision: number; readonly ahead: ReadonlyArray<string> }
}

export type RecordPorts = {
  readonly status: Shelf<Status>
  readonly stats: Shelf<Stats>
  readonly history: Pick<HistoryShelf, 'latest' | 'append' | 'all'>
  readonly guesses: Recent<Guess>
  readonly isPaused: (conn: string) => boolean
  readonly alert: (alert: Alert) => void
}

/** Trackers beside us may win a race; losing this many in a row means that something else is wrong. */
const attempts = 10

/** Left `lost-race` only after ten lost in a row; the caller lets the messages come again. */
export const record =
  (ports: RecordPorts) =>
  (conn: string, tasks: ReadonlyArray<Task>): TE.TaskEither<Trouble, void> =>
  async () => {
    for (let attempt = 1; ; attempt++) {
      const done = await once(ports, conn, tasks)
      if (done._tag === 'Right') return done
      ports.guesses.forget(conn)
      if (done.left.is !== 'lost-race' || attempt >= attempts) return done
    }
  }

const once = async (ports: RecordPorts, conn: string, tasks: ReadonlyArray<Task>): Promise<E.Either<Trouble, void>> => {
  const guess = await guessOf(ports, conn)
  if (guess._tag === 'Left') return guess
  const before = guess.right.status
  const { status, heard, alerts } = foldTurn(before.value, tasks, ports.isPaused(conn))
  let next: Guess = guess.right

  const history = await keepEntries(ports, conn, heard, before.value, next.history)
  if (history._tag === 'Left') return history
  if (history.right !== undefined) next = { ...next, history: history.right }

  if (status === undefined) return E.right(void ports.guesses.set(conn, next)) // nothing but marks of a run not worth one
  const told = heard.filter(({ standing }) => standing !== 'stale')
  const waiting = [...(status.uncounted ?? []), ...told.flatMap(waitsIn)]
  const after = waitingFor(status, waiting)
  const written = await keepStatus(ports, conn, after, next)
  if (written._tag === 'Left') return written
  next = written.right
  ports.guesses.set(conn, next)
  for (const alert of alerts) ports.alert(alert)

  // The status knows them before they are counted, so nobody takes one for new that is in the statistics. One heard before
  // may be in either: then all are counted, by their names.
  const isFull = waiting.length > mostUncounted || told.some((one) => one.standing === 'seen' && quietRunOf(one.result) !== undefined)
  const due = told.filter((one) => waitsIn(one).length === 0).map(({ result }) => result)
  if (due.length === 0 && !isFull) return E.right(undefined)
  const stats = await keepTally(ports.stats, conn, (tally) => due.reduce<Stats | undefined>(count, isFull ? countQuiet(tally, status.conn, waiting) : tally), next.stats)
  if (stats._tag === 'Left') return stats
  next = { ...next, stats: stats.right }
  ports.guesses.set(conn, next)
  if (!isFull) return E.right(undefined)
  const cleared = await keepStatus(ports, conn, waitingFor(after, []), next)
  if (cleared._tag === 'Left') return cleared
  ports.guesses.set(conn, cleared.right)
  return E.right(undefined)
}

const keepStatus = async (ports: RecordPorts, conn: string, status: Status, guess: Guess): Promise<E.Either<Trouble, Guess>> => {
  if (status === guess.status.value) return E.right(guess)
  return E.map((revision: number): Guess => ({ ...guess, status: { value: status, revision } }))(await ports.status.write(conn, status, guess.status.revision)())
}

const guessOf = async (ports: RecordPorts, conn: string): Promise<E.Either<Trouble, Guess>> => {
  const guess = ports.guesses.get(conn)
  return guess === undefined ? E.map((status: Kept<Status>): Guess => ({ status }))(await ports.status.read(conn)()) : E.right(guess)
}

/**
 * The history is looked through once, and again for whatever was `seen` before: that may stand anywhere in it. After that
 * a `new` run can only stand among the entries that were ahead of the status then, left by a tracker that broke off.
 */
const keepEntries = async (
  ports: RecordPorts, conn: string, heard: ReadonlyArray<Heard>, known: Status | undefined, guess: Guess['history'],
): Promise<E.Either<Trouble, Guess['history']>> => {
  let seen = guess
  for (const { result, standing } of heard) {
    if (standing === 'stale' || !isEntry(result)) continue
    let isThere = seen?.ahead.includes(result.run) === true
    if (seen === undefined || standing === 'seen') {
      // The revision before the entries: whoever writes in between wins the race
      const latest = await ports.history.latest(conn)()
      if (latest._tag === 'Left') return latest
      const all = await ports.history.all(conn)()
      if (all._tag === 'Left') return all
      isThere = all.right.some(({ run }) => run === result.run)
      const end = known?.lastRun?.finishedAt ?? 0
      seen = { revision: latest.right.revision, ahead: all.right.filter(({ finishedAt }) => finishedAt > end).map(({ run }) => run) }
    }
    if (isThere) continue
    const written = await ports.history.append(conn, result, seen.revision)()
    if (written._tag === 'Left') return written
    seen = { ...seen, revision: written.right }
  }
  return E.right(seen)
}
