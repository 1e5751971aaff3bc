/** `syncline approve` and `syncline restore`: what only an operator may ask for, each by a run that is waited for. */
import type { Command } from 'commander'
import type { OperatorQuestion } from '#libs/contracts/trigger.ts'
import { asker } from '../audit.ts'
import { action, type Call } from '../call.ts'
import type { ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { runSync } from '../run-sync.ts'

type Options = { readonly reason?: string }

export const registerApprove = (program: Command, io: Io): void => {
  program
    .command('approve')
    .description('let a plan run that a guard has held; refused when the plan is not the same any more')
    .argument('<connection>')
    .argument('<plan>', 'its hash, as `syncline plan` and `syncline history` show it')
    .option('--reason <text>', 'why; kept in its history')
    .addHelpText('after', '\nExamples:\n  $ syncline plan contacts\n  $ syncline approve contacts 42072d4cbde4bf29')
    .action(action<Options, readonly [conn: string, plan: string]>(io, (call) => operate(call, call.args[0], { approve: call.args[1], ...asker(call.io), reason: call.options.reason ?? `plan ${call.args[1]} approved by the command line` })))
}

export const registerRestore = (program: Command, io: Io): void => {
  program
    .command('restore')
    .description('put an archived version back where it was taken from, and carry it across')
    .argument('<connection>')
    .argument('<seq>', 'its number, as `syncline versions` shows it', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--reason <text>', 'why; kept in its history')
    .addHelpText('after', '\nWhat stands there now is archived first.\n\nExamples:\n  $ syncline versions contacts\n  $ syncline restore contacts 17')
    .action(action<Options, readonly [conn: string, seq: number]>(io, (call) => operate(call, call.args[0], { restore: call.args[1], ...asker(call.io), reason: call.options.reason ?? `version ${call.args[1]} restored by the command line` })))
}

const operate = <Args extends ReadonlyArray<unknown>>(call: Call<Options, Args>, conn: string, question: OperatorQuestion): Promise<ExitCode> =>
  onBus(call, (bus) => runSync(call, bus, conn, { question, byOperator: true, isAwaited: true, timeoutMs: undefined }))
