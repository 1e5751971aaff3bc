/**
 * Knows how dead letters are redriven: one run per connection and wish is asked for, and the letters are only removed once
 * that wish is stored. Two who redrive the same letter at once ask for one run (NATS.md §5.7, R 8.8).
 */
import { hash } from 'node:crypto'
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import type { RedriveWish } from '#libs/contracts/redrive-wish.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import { connectionInSubject, messageIds } from '#libs/contracts/subjects.ts'
import { RunId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { announce, found, type DeadLetterPorts } from './dead-letters.ts'
import type { Stored } from './ports.ts'
import { deadIn } from './present.ts'
import { refusal, type Refusal } from './question.ts'
import { notNow } from './refusals.ts'
import { wishOf } from './wish.ts'

/** One question of the command line; more are asked for by several. */
const mostAtOnce = 1_000

type Group = { readonly conn: string; readonly wish: RedriveWish; readonly letters: ReadonlyArray<Stored> }
type Asked = { readonly connection: string; readonly run: string; readonly redriven: ReadonlyArray<number>; readonly note?: string }

export const redriveDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  if (question.seqs !== undefined) return redriveMany(ports, question, question.seqs)
  const letter = await found(ports, question)()
  if (letter._tag === 'Left') return letter
  const asked = await ask(ports, { conn: connectionInSubject(letter.right.subject), wish: wishOf(deadIn(letter.right)), letters: [letter.right] }, question)
  return E.map(({ redriven, ...rest }: Asked) => ({ redriven: redriven[0], ...rest }))(asked)
}

/** What cannot be redriven does not keep the rest from it, and is named with its reason. */
const redriveMany = async (ports: DeadLetterPorts, question: ApiQuestion, seqs: ReadonlyArray<number>): Promise<E.Either<Refusal, object>> => {
  if (seqs.length === 0 || seqs.length > mostAtOnce) return E.left(refusal(400, 'bad-seqs', `name 1 to ${mostAtOnce} dead letters, not ${seqs.length}`))
  const refused: Array<{ readonly seqs: ReadonlyArray<number> } & Refusal> = []
  const groups = new Map<string, Group>()
  for (const seq of new Set(seqs)) {
    const letter = await found(ports, { ...question, seq })()
    if (letter._tag === 'Left') {
      refused.push({ seqs: [seq], ...letter.left })
      continue
    }
    const [conn, wish] = [connectionInSubject(letter.right.subject), wishOf(deadIn(letter.right))]
    const name = JSON.stringify([conn, wish])
    groups.set(name, { conn, wish, letters: [...(groups.get(name)?.letters ?? []), letter.right] })
  }
  const runs: Array<Asked> = []
  for (const group of groups.values()) {
    const asked = await ask(ports, group, question)
    if (asked._tag === 'Right') runs.push(asked.right)
    else refused.push({ seqs: group.letters.map(({ seq }) => seq), ...asked.left })
  }
  return E.right({ runs, refused })
}

const ask = async (ports: DeadLetterPorts, { conn, wish, letters }: Group, question: ApiQuestion): Promise<E.Either<Refusal, Asked>> => {
  const known = ports.directory.find(conn)
  if (known === undefined) return E.left(refusal(404, 'unknown-connection', `connection ${conn} is not there any more`, 'apply it again, or discard the letter'))
  // A paused connection's request would be skipped, and the letter would be gone
  if (known.paused) return E.left(refusal(423, 'paused', `connection ${conn} is paused`, `resume it first: syncline resume ${conn}`))
  const [first] = letters
  if (first === undefined) return E.left(refusal(400, 'bad-seqs', 'no dead letter is named'))
  const run = ports.newRun()
  const seqs = letters.map(({ seq }) => seq)
  const audited = await ports.says.audit({
    conn, act: 'redrive', at: ports.now(), what: `dead ${seqs.length === 1 ? 'letter' : 'letters'} ${seqs.join(', ')}: run ${run} is asked for`, run, seq: first.seq, count: seqs.length,
    ...who(question),
  })()
  if (audited._tag === 'Left') return E.left(notNow('the audit', audited.left))
  const stored = await ports.says.request(conn, requestOf(wish, first.seq, run, question.reason), messageIds.redrive(first.seq, tokenOf(first)))()
  if (stored._tag === 'Left') return E.left(notNow('the request', stored.left))
  if (stored.right === 'duplicate') return E.left(refusal(409, 'already-redriven', `dead letter ${first.seq} was redriven a moment ago`, `syncline history ${conn} shows its run; a letter that is still there then was not removed: discard it`))
  const left: Array<number> = []
  for (const letter of letters) {
    const removed = await ports.dead.remove(letter.seq)()
    if (removed._tag === 'Left') left.push(letter.seq)
    announce(ports, letter, 'redriven', question, `asked for run ${run}`)
  }
  const note = left.length === 0 ? {} : { note: left.length === 1 && seqs.length === 1 ? 'the run was asked for, but the letter could not be removed: discard it by hand' : `the run was asked for, but these letters could not be removed: ${left.join(', ')}; discard them by hand` }
  return E.right({ connection: conn, run, redriven: seqs, ...note })
}

export const who = ({ by, reason }: ApiQuestion): { readonly by?: string; readonly reason?: string } => ({ ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) })

const requestOf = (wish: RedriveWish, seq: number, run: string, reason: string | undefined): SyncRequest => ({
  ...wish, cause: 'redrive', redriveOf: seq,
  ...(RunId.is(run) ? { run } : {}),
  ...(reason === undefined ? {} : { reason }),
})

/** Known to those who may read the letter: anybody else could say it first, and the redrive would be lost. */
const tokenOf = ({ subject, storedAt, body }: Stored): string => hash('sha256', `${subject}|${storedAt}|${Buffer.from(body).toString('base64')}`, 'base64url').slice(0, 22)
