/**
 * Knows how a person changes what the redrive of a dead letter asks for. The message as it came stays in the letter; each edit
 * is kept with what was asked for before. A letter cannot be changed where it stands: the edited one takes its place.
 */
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import { readRedriveWish } from '#libs/contracts/redrive-wish.ts'
import { E } from '#libs/fp.ts'
import { announce, found, type DeadLetterPorts } from './dead-letters.ts'
import { deadIn } from './present.ts'
import { refusal, type Refusal } from './question.ts'
import { who } from './redrive.ts'
import { notNow } from './refusals.ts'
import { wishOf } from './wish.ts'

export const editDead = (ports: DeadLetterPorts, question: ApiQuestion) => async (): Promise<E.Either<Refusal, object>> => {
  const wish = readRedriveWish(question.request)
  if (E.isLeft(wish)) return E.left(refusal(400, 'bad-request', wish.left.join('; ')))
  const stored = await found(ports, question)()
  if (E.isLeft(stored)) return stored
  const dead = deadIn(stored.right)
  if (dead.type !== 'dead-letter') return E.left(refusal(400, 'not-editable', `${stored.right.seq} is a ${dead.type}: there is no request in it`, dead.type === 'parked-record' ? 'mend the item at its side, then redrive' : 'discard it'))
  const { letter } = dead
  const at = ports.now()
  const was = wishOf(dead)
  const audited = await ports.says.audit({ conn: letter.conn, act: 'edit', at, seq: stored.right.seq, what: `dead letter ${stored.right.seq}: a redrive asks for ${JSON.stringify(wish.right)}, before for ${JSON.stringify(was)}`, ...who(question) })()
  if (E.isLeft(audited)) return E.left(notNow('the audit', audited.left))
  const written = await ports.dead.writeEdited(stored.right.seq, { ...letter, request: wish.right, edits: [...(letter.edits ?? []), { at, was, ...who(question) }] })()
  if (E.isLeft(written)) return E.left(notNow('the dead letter', written.left))
  if (written.right === 'duplicate') return E.left(refusal(409, 'already-edited', `dead letter ${stored.right.seq} was edited a moment ago`, 'dlq-list shows the edited one'))
  const removed = await ports.dead.remove(stored.right.seq)()
  announce(ports, stored.right, 'edited', question, `edited, it is ${written.right} now`)
  const note = E.isLeft(removed) ? { note: `the edited letter is stored, but ${stored.right.seq} could not be removed: discard it by hand` } : {}
  return E.right({ edited: stored.right.seq, seq: written.right, connection: letter.conn, request: wish.right, ...note })
}
