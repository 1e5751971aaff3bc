/** `syncline dlq`: what was given up on (dead letters) or set aside (parked records): list and show; what is done with them is in dlq-redrive.ts and dlq-edit.ts. */
import { Option, type Command } from 'commander'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { askTracker } from '../ask-services.ts'
import { action, type Call } from '../call.ts'
import { unknown } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { agoText, isoText, painter, table } from '../render.ts'
import { DeadList, DeadWhole, readAnswer } from '../tracker-answers.ts'
import { registerDlqEdit } from './dlq-edit.ts'
import { registerDlqDiscard, registerDlqRedrive } from './dlq-redrive.ts'

export const registerDlq = (program: Command, io: Io): void => {
  const dlq = program
    .command('dlq')
    .description('dead letters: what was given up on, and records set aside')
    .addHelpText('after', '\nExamples:\n  $ syncline dlq ls\n  $ syncline dlq show 12\n  $ syncline dlq redrive 12\n  $ syncline dlq redrive --error-class unavailable --since 1h')
  dlq.command('ls').description('list them, oldest first').argument('[connection]')
    .addOption(new Option('--type <type>', 'only these').choices(['dead-letter', 'parked-record']))
    .option('--limit <n>', 'most to show', wholeNumber(1, 1_000), 100)
    .option('--after <seq>', 'go on behind this one', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', '\nExample:\n  $ syncline dlq ls contacts --type parked-record')
    .action(action<ListOptions, readonly [conn?: string]>(io, (call) => onBus(call, (bus) => list(call, bus))))
  dlq.command('show').description('all there is of one: body, every attempt, what to do').argument('<seq>', 'as `ls` shows it', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', '\nExample:\n  $ syncline dlq show 12')
    .action(action<object, readonly [seq: number]>(io, (call) => onBus(call, (bus) => show(call, bus))))
  registerDlqRedrive(dlq, io)
  registerDlqEdit(dlq, io)
  registerDlqDiscard(dlq, io)
}

type ListOptions = { readonly type?: 'dead-letter' | 'parked-record'; readonly limit: number; readonly after?: number }

const list = async (call: Call<ListOptions, readonly [conn?: string]>, bus: Bus): Promise<ExitCode> => {
  const { type, limit, after } = call.options
  const [connection] = call.args
  if (connection !== undefined && !ConnectionId.is(connection)) return call.refuse(await unknown(bus, connection))
  const asked = await askTracker(bus, 'dlq-list', { ...(connection === undefined ? {} : { connection }), ...(type === undefined ? {} : { type }), limit, ...(after === undefined ? {} : { after }) })
  const answer = E.isLeft(asked) ? asked : readAnswer(DeadList, asked.right)
  if (E.isLeft(answer)) return call.refuse(answer.left)
  const { dead, more } = answer.right
  call.json(answer.right)
  const [now, paint] = [call.clock.now(), painter(call.io)]
  const rows = dead.map((one) => [String(one.seq), agoText(one.stored_at === null ? undefined : Date.parse(one.stored_at), now), one.connection, one.type, one.key ?? one.run ?? '', one.why])
  if (dead.length === 0) call.say(connection === undefined ? 'there are none' : `${connection} has none`)
  else for (const line of table(['SEQ', 'WHEN', 'CONNECTION', 'TYPE', 'ITEM OR RUN', 'WHY'], rows, paint)) call.say(line)
  if (more) call.say(`… there are more: --after ${dead.at(-1)?.seq ?? 0}`)
  return exitCodes.ok
}

const show = async (call: Call<object, readonly [seq: number]>, bus: Bus): Promise<ExitCode> => {
  const [seq] = call.args
  const asked = await askTracker(bus, 'dlq-show', { seq })
  const answer = E.isLeft(asked) ? asked : readAnswer(DeadWhole, asked.right)
  if (E.isLeft(answer)) return call.refuse(answer.left)
  call.json(answer.right)
  for (const line of wholeLines(answer.right)) call.say(line)
  return exitCodes.ok
}

const wholeLines = ({ seq, connection, type, stored_at, why, run, flow, key, side, error_class, error_code, letter, record, request }: DeadWhole): ReadonlyArray<string> => {
  const lines = [`${seq}: ${type} of ${connection}, ${stored_at ?? ''}`, `  why         ${why}`]
  if (typeof error_class === 'string') lines.push(`  error class ${error_class}${typeof error_code === 'string' ? ` (${error_code})` : ''}`)
  const mend = record?.mend ?? letter?.error?.mend
  if (mend !== undefined) lines.push(`  what to do  ${mend}`)
  if (key !== undefined) lines.push(`  item        ${key} at the ${side ?? ''} of flow ${flow ?? ''}${record?.remoteId === undefined ? '' : ` (${record.remoteId})`}`)
  if (run !== undefined && run !== null) lines.push(`  run         ${run}`)
  if (letter?.traceId !== undefined) lines.push(`  trace       ${letter.traceId}`)
  for (const { attempt, at, error } of letter?.attempts ?? []) lines.push(`  attempt ${attempt}   ${isoText(at)} ${error}`)
  for (const [name, cursor] of Object.entries(letter?.cursorsBefore ?? {})) lines.push(`  cursor      ${name}: ${cursor ?? 'none'}`)
  if (letter !== undefined) lines.push(`  body        ${letter.body}`)
  for (const { at, was, by, reason } of letter?.edits ?? []) lines.push(`  edited      ${isoText(at)}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : ` (${reason})`}, before: ${JSON.stringify(was)}`)
  if (request !== undefined) lines.push(`  asks for    ${JSON.stringify(request)}`)
  lines.push(`  again       syncline dlq redrive ${seq}`)
  return lines
}
