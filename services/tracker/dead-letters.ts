/**
 * Knows how what was given up on is found, listed, shown and discarded (NATS.md §5.7, R 8.8). Redriving is in redrive.ts,
 * editing in edit-dead.ts. Does not know who asks.
 */
import type { AlertKind } from '#libs/contracts/alert.ts'
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import { connectionInSubject } from '#libs/contracts/subjects.ts'
import { E, TE } from '#libs/fp.ts'
import type { Directory } from './directory.ts'
import { deadLine, shownDead } from './present.ts'
import type { DeadStore, Says, Stored } from './ports.ts'
import { limitIn, refusal } from './question.ts'
import type { Refusal } from './question.ts'
import { notNow } from './refusals.ts'

export type DeadLetterPorts = {
  readonly dead: DeadStore
  readonly says: Pick<Says, 'request' | 'alert' | 'audit'>
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

export const discardDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  if (question.reason === undefined || question.reason.trim() === '') {
    return E.left(refusal(400, 'no-reason', 'a dead letter is discarded with a reason', 'say why: it is kept in the log'))
  }
  const letter = await found(ports, question)()
  if (letter._tag === 'Left') return letter
  const conn = connectionInSubject(letter.right.subject)
  const audited = await ports.says.audit({ conn, act: 'discard', at: ports.now(), seq: letter.right.seq, what: `dead letter ${letter.right.seq} is discarded: ${deadLine(letter.right).why}`, reason: question.reason, ...(question.by === undefined ? {} : { by: question.by }) })()
  if (audited._tag === 'Left') return E.left(notNow('the audit', audited.left))
  const removed = await ports.dead.remove(letter.right.seq)()
  if (removed._tag === 'Left') return E.left(notNow('the dead letter', removed.left))
  if (!removed.right) return E.left(noSuchLetter(letter.right.seq))
  announce(ports, letter.right, 'discarded', question, 'discarded for good')
  return E.right({ discarded: letter.right.seq, connection: conn })
}

export const found = (ports: DeadLetterPorts, { seq, connection }: ApiQuestion): TE.TaskEither<Refusal, Stored> => async () => {
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

/** To whoever listens now, and in the log. */
export const announce = (ports: DeadLetterPorts, letter: Stored, kind: AlertKind, { reason }: ApiQuestion, what: string): void =>
  ports.says.alert({
    conn: connectionInSubject(letter.subject),
    kind,
    seq: letter.seq,
    at: ports.now(),
    message: `dead letter ${letter.seq}: ${what}`,
    ...(reason === undefined ? {} : { reason }),
  })
