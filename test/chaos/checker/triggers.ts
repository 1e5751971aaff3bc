/**
 * I9: every trigger settles. Nothing is left in the queues in the end; after every request that was taken a run of that
 * connection ended, or it is in the dead letters; what is poison is there exactly once, and nothing else is unless its attempts
 * were used up.
 */
import { defaultMaxAttempts } from '#libs/domain/connection.ts'
import type { Dead } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import type { Story } from './story.ts'

const queues = new Set(['SYNC_WORK', 'SYNC_REQUESTS'])

const judge = (story: Story): Found => {
  const left = story.all('final-stream').filter(({ stream }) => queues.has(stream))
  const violations = left.filter(({ messages }) => messages > 0).map((stream): Violation => ({ message: `${stream.messages} messages are stuck in ${stream.stream}: ${stream.subjects.join(', ')}`, trace: [stream] }))
  const triggers = story.all('trigger').filter(({ result }) => result === 'ok')
  for (const trigger of triggers) {
    const ends = [...story.all('result'), ...story.all('dead')].some(({ conn, storedAt }) => conn === trigger.conn && story.wall(storedAt) + clockMs >= trigger.at)
    if (!ends) violations.push({ message: `nothing ever came of request ${trigger.seq ?? '?'} for ${trigger.conn}`, trace: [trigger] })
  }
  const dead = story.all('dead')
  const letters = dead.filter(isLetter)
  for (const [msgId, same] of Map.groupBy(dead, ({ msgId: id }) => id)) {
    if (msgId !== '' && same.length > 1) violations.push({ message: `${msgId} is in the dead letters ${same.length} times`, trace: same })
  }
  const poisons = story.all('poison')
  for (const poison of poisons) {
    const isThere = poison.key === undefined ? letters.some(({ conn }) => conn === poison.conn) : dead.some(({ conn, raw }) => conn === poison.conn && isAbout(raw, poison.key ?? ''))
    if (!isThere) violations.push({ message: `${poison.what} of ${poison.conn} is not in the dead letters`, trace: [poison] })
  }
  for (const letter of letters) {
    if (poisons.some(({ conn, key }) => key === undefined && conn === letter.conn) || attemptsOf(letter) >= defaultMaxAttempts) continue
    violations.push({ message: `a work item of ${letter.conn} became a dead letter after ${attemptsOf(letter)} attempts, and was no poison`, trace: [letter] })
  }
  return { checked: left.length + triggers.length + poisons.length + letters.length, violations }
}

/** Stamps of a server are whole ms. */
const clockMs = 50

/** A whole work item, not one parked record. */
const isLetter = ({ raw }: Dead): boolean => typeof raw === 'object' && raw !== null && 'attempts' in raw

const attemptsOf = ({ raw }: Dead): number => {
  const attempts = typeof raw === 'object' && raw !== null && 'attempts' in raw ? raw.attempts : []
  const numbers = Array.isArray(attempts) ? attempts.map((one: { readonly attempt?: number }) => one.attempt ?? 0) : []
  return Math.max(numbers.length, ...numbers)
}

const isAbout = (raw: unknown, key: string): boolean => typeof raw === 'object' && raw !== null && 'key' in raw && raw.key === key

export const triggers: Invariant = { name: 'I9', says: 'every trigger settles', judge }
