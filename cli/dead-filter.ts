/** Knows how dead letters are chosen by what they are about instead of one by one, and how a choice is told. */
import { Option, type Command } from 'commander'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { askTracker } from './ask-services.ts'
import type { Call } from './call.ts'
import { exitCodes } from './exit-codes.ts'
import { duration } from './option-values.ts'
import { refusal, type Refusal } from './refusal.ts'
import { agoText, painter, table } from './render.ts'
import { DeadList, readAnswer, type DeadLine } from './tracker-answers.ts'

export type DeadFilter = { readonly conn?: string; readonly errorClass?: string; readonly since?: number; readonly type?: 'dead-letter' | 'parked-record'; readonly all?: boolean }

export const filterOptions = (command: Command): Command =>
  command
    .option('--conn <connection>', 'those of this connection')
    .option('--error-class <class>', 'those that ended so: unavailable, needs-person, bad-item …, or a code such as ECONNREFUSED, 401, 23505')
    .option('--since <duration>', 'those of the last 30m, 1h, 2d …', duration)
    .addOption(new Option('--type <type>', 'those of this type').choices(['dead-letter', 'parked-record']))
    .option('--all', 'all of them, or all that the other options leave')

/** Either letters by name or a filter; both, or neither, is a slip that could cost much. */
export const choice = (seqs: ReadonlyArray<number> | undefined, { conn, errorClass, since, type, all }: DeadFilter): E.Either<Refusal, 'named' | 'filtered'> => {
  const isFiltered = all === true || [conn, errorClass, since, type].some((one) => one !== undefined)
  const isNamed = seqs !== undefined && seqs.length > 0
  if (isNamed && isFiltered) return E.left(refusal(exitCodes.usage, 'name letters, or choose them by options, not both'))
  if (!isNamed && !isFiltered) return E.left(refusal(exitCodes.usage, 'which dead letters?', 'name them, or choose by --conn, --error-class, --since, --type, or --all'))
  if (conn !== undefined && !ConnectionId.is(conn)) return E.left(refusal(exitCodes.usage, `"${conn}" is not the id of a connection`))
  return E.right(isNamed ? 'named' : 'filtered')
}

const pageSize = 1_000

/** Oldest first. */
export const chosen = async (bus: Bus, { conn, errorClass, since, type }: DeadFilter, now: number): Promise<E.Either<Refusal, ReadonlyArray<DeadLine>>> => {
  const found: Array<DeadLine> = []
  for (let after = 0; ;) {
    const asked = await askTracker(bus, 'dlq-list', { ...(ConnectionId.is(conn) ? { connection: conn } : {}), ...(type === undefined ? {} : { type }), limit: pageSize, after })
    const answer = E.isLeft(asked) ? asked : readAnswer(DeadList, asked.right)
    if (E.isLeft(answer)) return answer
    const { dead, more } = answer.right
    found.push(...dead.filter((line) => isOf(line, errorClass) && isSince(line, since, now)))
    const last = dead.at(-1)
    if (!more || last === undefined) return E.right(found)
    after = last.seq
  }
}

const isOf = ({ error_class, error_code }: DeadLine, wanted: string | undefined): boolean =>
  wanted === undefined || [error_class, error_code].some((one) => typeof one === 'string' && one.toLowerCase() === wanted.toLowerCase())

const isSince = ({ stored_at }: DeadLine, since: number | undefined, now: number): boolean =>
  since === undefined || (stored_at !== null && Date.parse(stored_at) >= now - since)

/** How many, by connection and class, and the first twenty. */
export const tellChosen = (call: Call<object, ReadonlyArray<unknown>>, lines: ReadonlyArray<DeadLine>, would: string): void => {
  const byClass = new Map<string, number>()
  for (const { connection, error_class } of lines) {
    const name = `${connection}${typeof error_class === 'string' ? ` ${error_class}` : ''}`
    byClass.set(name, (byClass.get(name) ?? 0) + 1)
  }
  call.say(`would ${would} ${lines.length}${lines.length === 0 ? '' : `: ${[...byClass].map(([name, n]) => `${n} of ${name}`).join(', ')}`}`)
  const [now, paint] = [call.clock.now(), painter(call.io)]
  const rows = lines.slice(0, 20).map((one) => [String(one.seq), agoText(one.stored_at === null ? undefined : Date.parse(one.stored_at), now), one.connection, one.error_class ?? '', one.why])
  if (rows.length > 0) for (const line of table(['SEQ', 'WHEN', 'CONNECTION', 'CLASS', 'WHY'], rows, paint)) call.say(line)
  if (lines.length > rows.length) call.say(`… and ${lines.length - rows.length} more`)
}
