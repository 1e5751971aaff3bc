/**
 * Knows what the tracker answers to each verb, the same over NATS and over HTTP. Does not know how a question arrives.
 * Status and statistics never fail and never hang: what cannot be read in time has its safe default and a note (R 8.14).
 */
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import type { Stats, Status } from '#libs/contracts/status.ts'
import { E } from '#libs/fp.ts'
import type { Clock } from '#libs/clock.ts'
import { discardDead, listDead, showDead } from './dead-letters.ts'
import type { DeadLetterPorts } from './dead-letters.ts'
import type { Listed } from './directory.ts'
import { editDead } from './edit-dead.ts'
import { clearHistory, readHistory, unknownConnection } from './history.ts'
import type { HistoryPorts } from './history.ts'
import type { Shelf, Trouble } from './ports.ts'
import { shownStatus } from './present.ts'
import { redriveDead } from './redrive.ts'
import { limitIn, questionIn } from './question.ts'
import type { Refusal } from './question.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { inTime, noteOf } from './in-time.ts'
import { addStatus, addTally, noSums, shownSums } from './statistics.ts'
import type { Sums } from './statistics.ts'

export type AnswerPorts = DeadLetterPorts & HistoryPorts & {
  readonly status: Shelf<Status>
  readonly stats: Shelf<Stats>
  readonly clock: Pick<Clock, 'sleep'>
}

/** Connections shown one by one; the sums are over all of them. */
const mostShown = 1_000

type Answer = E.Either<Refusal, object>
export type Verb = keyof typeof verbs
/** Verbs that also take a connection as the last token of their subject. */
export const ofOneConnection: ReadonlyArray<Verb> = ['history', 'statistics', 'status', 'clear', 'dlq-list']

export const verbs = {
  history: (ports: AnswerPorts, question: ApiQuestion) => readHistory(ports, question)(),
  clear: (ports: AnswerPorts, question: ApiQuestion) => clearHistory(ports, question)(),
  statistics: (ports: AnswerPorts, question: ApiQuestion) => statistics(ports, question),
  status: (ports: AnswerPorts, question: ApiQuestion) => (question.connection === undefined ? everyStatus(ports, question) : oneStatus(ports, question.connection)),
  'dlq-list': (ports: AnswerPorts, question: ApiQuestion) => listDead(ports, question)(),
  'dlq-show': (ports: AnswerPorts, question: ApiQuestion) => showDead(ports, question)(),
  'dlq-redrive': (ports: AnswerPorts, question: ApiQuestion) => redriveDead(ports, question)(),
  'dlq-edit': (ports: AnswerPorts, question: ApiQuestion) => editDead(ports, question)(),
  'dlq-discard': (ports: AnswerPorts, question: ApiQuestion) => discardDead(ports, question)(),
} satisfies Record<string, (ports: AnswerPorts, question: ApiQuestion) => Promise<Answer>>

const oneStatus = async (ports: AnswerPorts, conn: string): Promise<Answer> => {
  const listed = ports.directory.find(conn)
  if (listed === undefined) return E.left(unknownConnection(conn))
  const read = await inTime(ports.clock, ports.status.read(conn)())
  return read._tag === 'Right'
    ? E.right(shownStatus(listed, read.right.value))
    : E.right({ ...shownStatus(listed, undefined), note: noteOf('the status', read.left) })
}

const everyStatus = async (ports: AnswerPorts, question: ApiQuestion): Promise<Answer> => {
  const limit = limitIn(question, mostShown, 10_000)
  if (limit._tag === 'Left') return limit
  const all = ports.directory.all()
  const behind = question.after === undefined ? 0 : all.findIndex(({ id }) => id > String(question.after))
  const page = behind < 0 ? [] : all.slice(behind, behind + limit.right)
  const known = await inTime(ports.clock, statusesOf(ports, page))
  const connections = page.map((listed) => shownStatus(listed, known._tag === 'Right' ? known.right.get(listed.id) : undefined))
  const more = behind >= 0 && behind + page.length < all.length
  return E.right({ connections, more, ...(known._tag === 'Left' ? { note: noteOf('the statuses', known.left) } : {}) })
}

/** A handful is read one by one; for more, one pass over the bucket costs less than that many questions. */
const statusesOf = async (ports: AnswerPorts, page: ReadonlyArray<Listed>): Promise<E.Either<Trouble, ReadonlyMap<string, Status>>> => {
  const known = new Map<string, Status>()
  if (page.length > 50) {
    const wanted = new Set<string>(page.map(({ id }) => id))
    const read = await ports.status.each((status) => void (wanted.has(status.conn) && known.set(status.conn, status)))()
    return E.map(() => known)(read)
  }
  for (const read of await Promise.all(page.map(({ id }) => ports.status.read(id)()))) {
    if (read._tag === 'Left') return read
    if (read.right.value !== undefined) known.set(read.right.value.conn, read.right.value)
  }
  return E.right(known)
}

const statistics = async (ports: AnswerPorts, question: ApiQuestion): Promise<Answer> => {
  const limit = limitIn(question, mostShown, 10_000)
  if (limit._tag === 'Left') return limit
  const conn = question.connection
  const listed = conn === undefined ? ports.directory.all() : ports.directory.all().filter(({ id }) => id === conn)
  if (conn !== undefined && listed.length === 0) return E.left(unknownConnection(conn))
  const shown = listed.slice(0, limit.right)
  const perConnection = new Map<string, Sums>(shown.map(({ id }) => [id, noSums()]))
  const states = new Map<string, Status>()
  const overall = noSums()
  const addOne = (status: Status): void => {
    const found = ports.directory.find(status.conn)
    if (found === undefined) return
    addStatus(overall, status, found.paused)
    const own = perConnection.get(status.conn)
    if (own === undefined) return
    addStatus(own, status, found.paused)
    states.set(status.conn, status)
  }
  const countOne = (tally: Stats): void => {
    if (ports.directory.find(tally.conn) === undefined) return
    addTally(overall, tally)
    const own = perConnection.get(tally.conn)
    if (own !== undefined) addTally(own, tally)
  }
  const read = await inTime(ports.clock, Promise.all([visit(ports.status, conn, addOne), visit(ports.stats, conn, countOne)]).then(([a, b]) => (a._tag === 'Left' ? a : b)))
  return E.right({
    ...shownSums(overall),
    connections: shown.map((one) => {
      const { id } = one
      const { state, links, parked } = shownStatus(one, states.get(id))
      return { id, state, links, parked, ...shownSums(perConnection.get(id) ?? noSums()) }
    }),
    connections_total: listed.length,
    ...(read._tag === 'Left' ? { note: noteOf('the statistics', read.left) } : {}),
  })
}

const visit = async <A>(shelf: Shelf<A>, conn: string | undefined, add: (value: A) => void): Promise<E.Either<Trouble, void>> => {
  if (conn === undefined) return shelf.each(add)()
  const read = await shelf.read(conn)()
  if (read._tag === 'Left') return read
  if (read.right.value !== undefined) add(read.right.value)
  return E.right(undefined)
}

/** The same over NATS: the connection may stand in the subject, refusals go into the service error's headers. */
export const answerOver =
  (ports: AnswerPorts, tracer: Tracer, verb: Verb, traceHeader: string) =>
  (subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<E.Either<{ readonly code: number; readonly message: string }, Uint8Array>> =>
    tracer.span('tracker.answer', { parent: headers[traceHeader], attributes: { verb } }, async () => {
      const question = questionIn(body, subject.split('.')[3])
      const answered = question._tag === 'Left' ? question : await verbs[verb](ports, question.right)
      return E.bimap(
        ({ code, message, mend }: Refusal) => ({ code, message: mend === undefined ? message : `${message}: ${mend}` }),
        (answer: object): Uint8Array => new TextEncoder().encode(JSON.stringify(answer)),
      )(answered)
    })
