/** `syncline dlq edit`: what the redrive of a dead letter is to ask for; the message itself stays as it came. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readRedriveWish, type RedriveWish } from '#libs/contracts/redrive-wish.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { askTracker } from '../ask-services.ts'
import { asker } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { editText } from '../edit-text.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { refusal, type Refusal } from '../refusal.ts'
import { DeadWhole, Edited, readAnswer } from '../tracker-answers.ts'

type Options = { readonly body?: string; readonly reason?: string }
type Args = readonly [seq: number]

export const registerDlqEdit = (dlq: Command, io: Io): void => {
  dlq.command('edit').description('change what the redrive of a letter asks for; the message stays as it came')
    .argument('<seq>', 'as `ls` shows it', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--body <file>', 'take this text, - for standard input, instead of opening VISUAL or EDITOR')
    .option('--reason <text>', 'why; kept in the letter and in the audit')
    .addHelpText('after', '\nThe text is JSON with any of: mode ("auto" or "full"), dryRun, notBefore (a time), reason. The edited letter takes the\nplace of the old one under a new number; what was asked for before is kept in it.\n\nExamples:\n  $ EDITOR=nano syncline dlq edit 12\n  $ echo \'{"mode": "full"}\' | syncline dlq edit 12 --body - --reason "the delta missed them"')
    .action(action<Options, Args>(io, (call) => onBus(call, (bus) => edit(call, bus))))
}

const edit = async (call: Call<Options, Args>, bus: Bus): Promise<ExitCode> => {
  const [seq] = call.args
  const { reason } = call.options
  const asked = await askTracker(bus, 'dlq-show', { seq })
  const letter = E.isLeft(asked) ? asked : readAnswer(DeadWhole, asked.right)
  if (E.isLeft(letter)) return call.refuse(letter.left)
  if (letter.right.type !== 'dead-letter') return call.refuse(refusal(exitCodes.usage, `${seq} is a ${letter.right.type}: there is no request in it`, 'mend the item at its side, then redrive'))
  const text = await textOf(call, letter.right)
  if (E.isLeft(text)) return call.refuse(text.left)
  const wish = wishIn(text.right)
  if (E.isLeft(wish)) return call.refuse(wish.left)
  if (call.options.body === undefined && JSON.stringify(wish.right) === JSON.stringify(letter.right.request)) {
    call.say(`${seq}: nothing was changed`)
    call.json({ edited: null, seq, request: wish.right })
    return exitCodes.ok
  }
  const changed = await askTracker(bus, 'dlq-edit', { seq, request: wish.right, ...asker(call.io), ...(reason === undefined ? {} : { reason }) })
  const answer = E.isLeft(changed) ? changed : readAnswer(Edited, changed.right)
  if (E.isLeft(answer)) return call.refuse(answer.left)
  call.say(`${seq}: edited, it is ${answer.right.seq} now; syncline dlq redrive ${answer.right.seq} asks for it`)
  if (answer.right.note !== undefined) call.note(answer.right.note)
  call.json(answer.right)
  return exitCodes.ok
}

/** A request that nobody could read is shown as it came, so that its slip can be mended. */
const textOf = async ({ io, options: { body } }: Call<Options, Args>, { letter, request, seq, edited }: DeadWhole): Promise<E.Either<Refusal, string>> => {
  if (body === undefined) {
    const isUnread = letter?.writtenBy === 'scheduler' && edited !== true
    return editText(io, isUnread ? letter.body : `${JSON.stringify(request ?? {}, null, 2)}\n`, `dead-letter-${seq}.json`)
  }
  if (body === '-') return E.right(await io.stdin())
  try {
    return E.right(await readFile(resolve(io.cwd, body), 'utf8'))
  } catch (error) {
    return E.left(refusal(exitCodes.usage, `${body} cannot be read: ${error instanceof Error ? error.message : String(error)}`))
  }
}

const wishIn = (text: string): E.Either<Refusal, RedriveWish> => {
  const parsed = E.tryCatch(() => JSON.parse(text) as unknown, (error) => refusal(exitCodes.usage, `the text is not JSON: ${error instanceof Error ? error.message : String(error)}`, 'nothing was changed'))
  return E.isLeft(parsed) ? parsed : E.mapLeft((report: ReadonlyArray<string>) => refusal(exitCodes.usage, report.join('; '), 'nothing was changed'))(readRedriveWish(parsed.right))
}
