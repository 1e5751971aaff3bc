/**
 * Knows how a work item that nobody will be given again is laid to rest: its letter first, then the run's result, then
 * its place in the queue is freed. Every step may be repeated, so a crash anywhere between is mended by the next delivery.
 * Does not know who noticed: the server by an advisory, or the sweeper.
 */
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import type { HistoryEntry, Status } from '#libs/contracts/status.ts'
import { headerNames, messageIds } from '#libs/contracts/subjects.ts'
import type { Outcome } from '#libs/domain/states.ts'
import { E, TE } from '#libs/fp.ts'
import { connOf, deadResultOf, isDoneAfterAll, itemOf, letterOf } from './join.ts'
import type { Lost } from './join.ts'
import type { TrackerPorts, Trouble } from './ports.ts'

type BuryPorts = Pick<TrackerPorts, 'status' | 'history' | 'work' | 'dead' | 'says' | 'attemptsOf'>

/** `freed`: the run had ended well; only its place was taken. `kept`: a letter stands in SYNC_DEAD. `gone`: somebody was first. */
export type Buried = 'freed' | 'kept' | 'gone'

export const bury =
  (ports: BuryPorts) =>
  (lost: Lost): TE.TaskEither<Trouble, Buried> =>
  async () => {
    const conn = connOf(lost)
    const status = await ports.status.read(conn)()
    if (status._tag === 'Left') return status
    const known = status.right.value
    const outcome = await outcomeOf(ports, conn, itemOf(lost)?.run, known)
    if (outcome._tag === 'Left') return outcome
    if (!isDoneAfterAll(outcome.right)) {
      const kept = await keepLetter(ports, lost, known)
      if (kept._tag === 'Left') return kept
      const result = outcome.right === undefined ? deadResultOf(lost, known) : undefined
      const said = result === undefined ? E.right(undefined) : await ports.says.result(result, traceOf(lost))()
      if (said._tag === 'Left') return said
    }
    // Only now: the original is the one copy of the body until the letter is stored
    const removed = await ports.work.remove(lost.original.seq)()
    if (removed._tag === 'Left') return removed
    return E.right(isDoneAfterAll(outcome.right) ? 'freed' : removed.right ? 'kept' : 'gone')
  }

/** How the run ended, when it did: the status tells of the last one, the history of those before. */
const outcomeOf = async (
  ports: BuryPorts, conn: string, run: string | undefined, status: Status | undefined,
): Promise<E.Either<Trouble, Outcome | undefined>> => {
  if (run === undefined || status?.lastRun === undefined) return E.right(undefined)
  if (status.lastRun.run === run) return E.right(status.lastRun.outcome)
  const entries = await ports.history.all(conn)()
  return E.map((all: ReadonlyArray<HistoryEntry>) => all.find((entry) => entry.run === run)?.outcome)(entries)
}

/** The stream forgets ids after ten minutes: from then on only looking tells whether the worker wrote the letter itself. */
const keepLetter = async (ports: BuryPorts, lost: Lost, status: Status | undefined): Promise<E.Either<Trouble, void>> => {
  const conn = connOf(lost)
  const found = await hasLetter(ports.dead, conn, lost.stream, lost.original.seq)
  if (found._tag === 'Left') return found
  if (found.right) return E.right(undefined)
  return ports.dead.write(letterOf(lost, status, await ports.attemptsOf(conn)), traceOf(lost))()
}

const traceOf = (lost: Lost): string | undefined => lost.original.headers[headerNames.traceparent]

const pageSize = 200
/** Read one by one, about 0.1 ms each; behind so many letters of one connection the stream's own ids have to do. */
const mostLookedAt = 5_000

/** Looks for the letter of one original among a connection's letters, or among all, from a sequence on. */
export const hasLetter = async (
  dead: Pick<TrackerPorts['dead'], 'list'>, conn: string | undefined, stream: string, seq: number, fromSeq = 1,
): Promise<E.Either<Trouble, boolean>> => {
  const wanted = messageIds.dead(stream, seq)
  let from = fromSeq
  for (let looked = 0; looked < mostLookedAt; looked += pageSize) {
    const page = await dead.list(conn, from, pageSize)()
    if (page._tag === 'Left') return page
    if (page.right.some(({ headers }) => headers[headerNames.schema] === DeadLetter.schema && headers[headerNames.msgId] === wanted)) return E.right(true)
    const last = page.right.at(-1)
    if (last === undefined || page.right.length < pageSize) return E.right(false)
    from = last.seq + 1
  }
  return E.right(false)
}
