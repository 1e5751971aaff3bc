/**
 * Knows what can be done with what was given up on: list, show, redrive, discard (NATS.md §5.7, R 8.8). Redriving asks for
 * a new run; the letter is only removed once that wish is stored. Does not know who asks.
 */
import type { Alert, AlertKind } from '#libs/contracts/alert.ts'
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import { decode } from '#libs/contracts/decode.ts'
import { connectionInSubject } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { RunId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import type { Directory } from './directory.ts'
import { deadIn, deadLine, shownDead } from './present.ts'
import type { Dead } from './present.ts'
import type { DeadStore, Says, Stored } from './ports.ts'
import { limitIn, refusal } from './question.ts'
import type { Refusal } from './question.ts'
import { notNow } from './refusals.ts'

export type DeadLetterPorts = {
  readonly dead: DeadStore
  readonly says: Pick<Says, 'request' | 'alert'>
  readonly directory: Directory
  readonly now: () => number
  readonly newRun: () => string
}

/** Oldest first, `limit` at most; go on with `after` = the last `seq` of the answer. */
export const listDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  const limit = limitIn(question, 100, 1_000)
  if (limit._tag === 'Left') return limit
  const after = Number(question.after ?? 0)
  if (!Number.isInteger(after) || after < 0) return E.left(refusal(400, 'bad-after', `after must be a sequence of the list, not ${question.after}`))
  const lines: Array<ReturnType<typeof deadLine>> = []
  let from = after + 1
  for (;;) {
    const page = await ports.dead.list(question.connection, from, limit.right)()
    if (page._tag === 'Left') return E.left(notNow('the dead letters', page.left))
    lines.push(...page.right.map(deadLine).filter((line) => question.type === undefined || line.type === question.type))
    from = (page.right.at(-1)?.seq ?? from) + 1
    if (lines.length >= limit.right || page.right.length < limit.right) break
  }
  return E.right({ dead: lines.slice(0, limit.right), more: lines.length >= limit.right })
}

export const showDead = (ports: DeadLetterPorts, question: ApiQuestion): TE.TaskEither<Refusal, object> =>
  TE.map(shownDead)(found(ports, question))

export const redriveDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  const letter = await found(ports, question)()
  if (letter._tag === 'Left') return letter
  const conn = connectionInSubject(letter.right.subject)
  const known = ports.directory.find(conn)
  if (known === undefined) return E.left(refusal(404, 'unknown-connection', `connection ${conn} is not there any more`, 'apply it again, or discard the letter'))
  // A paused connection's request would be skipped, and the letter would be gone
  if (known.paused) return E.left(refusal(423, 'paused', `connection ${conn} is paused`, `resume it first: syncline resume ${conn}`))
  const run = ports.newRun()
  const asked = await ports.says.request(conn, redriveOf(deadIn(letter.right), letter.right.seq, run, question.reason))()
  if (asked._tag === 'Left') return E.left(notNow('the request', asked.left))
  const removed = await ports.dead.remove(letter.right.seq)()
  ports.says.alert(audit(ports, letter.right, 'redriven', question, `asked for run ${run}`))
  const note = removed._tag === 'Left' ? { note: 'the run was asked for, but the letter could not be removed: discard it by hand' } : {}
  return E.right({ redriven: letter.right.seq, connection: conn, run, ...note })
}

export const discardDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  if (question.reason === undefined || question.reason.trim() === '') {
    return E.left(refusal(400, 'no-reason', 'a dead letter is discarded with a reason', 'say why: it is kept in the log'))
  }
  const letter = await found(ports, question)()
  if (letter._tag === 'Left') return letter
  const removed = await ports.dead.remove(letter.right.seq)()
  if (removed._tag === 'Left') return E.left(notNow('the dead letter', removed.left))
  if (!removed.right) return E.left(noSuchLetter(letter.right.seq))
  ports.says.alert(audit(ports, letter.right, 'discarded', question, 'discarded for good'))
  return E.right({ discarded: letter.right.seq, connection: connectionInSubject(letter.right.subject) })
}

const found = (ports: DeadLetterPorts, { seq, connection }: ApiQuestion): TE.TaskEither<Refusal, Stored> => async () => {
  if (seq === undefined || !Number.isInteger(seq) || seq < 1) {
    return E.left(refusal(400, 'bad-seq', 'name a dead letter by its seq, a whole number from 1', 'dlq-list shows them'))
  }
  const read = await ports.dead.read(seq)()
  if (read._tag === 'Left') return E.left(notNow(`dead letter ${seq}`, read.left))
  const isTheirs = read.right !== undefined && (connection === undefined || connectionInSubject(read.right.subject) === connection)
  return isTheirs ? E.right(read.right) : E.left(noSuchLetter(seq))
}

const noSuchLetter = (seq: number): Refusal =>
  refusal(404, 'no-such-letter', `there is no dead letter ${seq}`, 'it may have been redriven or discarded: dlq-list shows what there is')

/** A parked item is looked at again only by a complete listing: a delta would not mention it (R 17.4). */
const redriveOf = (dead: Dead, seq: number, run: string, reason: string | undefined): SyncRequest => ({
  cause: 'redrive',
  redriveOf: seq,
  ...modeOf(dead),
  ...(RunId.is(run) ? { run } : {}),
  ...(reason === undefined ? {} : { reason }),
})

const modeOf = (dead: Dead): Pick<SyncRequest, 'mode' | 'dryRun'> => {
  if (dead.type === 'parked-record') return { mode: 'full' }
  if (dead.type === 'unreadable' || dead.letter.bodyBase64 === true) return {}
  const item = decode(WorkItem, new TextEncoder().encode(dead.letter.body))
  if (item._tag === 'Left') return {}
  const { mode, dryRun } = item.right
  return { ...(mode === undefined ? {} : { mode }), ...(dryRun === undefined ? {} : { dryRun }) }
}

const audit = (ports: DeadLetterPorts, letter: Stored, kind: AlertKind, { reason }: ApiQuestion, what: string): Alert => ({
  conn: connectionInSubject(letter.subject),
  kind,
  seq: letter.seq,
  at: ports.now(),
  message: `dead letter ${letter.seq}: ${what}`,
  ...(reason === undefined ? {} : { reason }),
})
