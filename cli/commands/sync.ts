/** `syncline sync` and `syncline plan`: ask for a run now, and perhaps wait for its end. */
import type { Command } from 'commander'
import { action } from '../call.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { duration } from '../option-values.ts'
import { runSync } from '../run-sync.ts'

type Options = { readonly full?: boolean; readonly dryRun?: boolean; readonly wait?: boolean; readonly timeout?: number; readonly queue?: boolean; readonly reason?: string }

export const registerSync = (program: Command, io: Io): void => {
  program
    .command('sync')
    .description('ask for a run of a connection now')
    .argument('<connection>')
    .option('--full', 'list both sides again and compare everything')
    .option('--dry-run', 'only say what it would do; nothing is written anywhere (implies --wait)')
    .option('-w, --wait', 'wait for the end; a run that is going on already is waited for')
    .option('--timeout <duration>', 'wait no longer than this, such as 30s or 5m', duration)
    .option('--queue', 'when it is busy, run once more afterwards')
    .option('--reason <text>', 'why; kept in its history')
    .addHelpText('after', '\nExit codes: accepted 0, busy or paused 4, unknown 3. With --wait: succeeded 0, failed 1, partial 5, held 6,\nstill running after --timeout 7, cancelled or skipped 8. Ctrl-C ends the waiting, not the run.\n\nExamples:\n  $ syncline sync contacts --wait\n  $ syncline sync contacts --full --wait --timeout 10m')
    .action(action<Options, readonly [conn: string]>(io, (call) => {
      const { full, dryRun, wait, timeout, queue, reason } = call.options
      return onBus(call, (bus) => runSync(call, bus, call.args[0], {
        question: {
          reason: reason ?? 'asked by the command line',
          ...(full === true ? { mode: 'full' } : {}), ...(dryRun === true ? { dryRun } : {}), ...(queue === true ? { ifRunning: 'queue' } : {}),
        },
        isAwaited: wait === true || dryRun === true || timeout !== undefined,
        timeoutMs: timeout,
      }))
    }))
}

export const registerPlan = (program: Command, io: Io): void => {
  program
    .command('plan')
    .description('show what the next run would do; the same as sync --dry-run --wait')
    .argument('<connection>')
    .option('--full', 'as if everything were listed again')
    .option('--timeout <duration>', 'wait no longer than this', duration)
    .addHelpText('after', '\nExample:\n  $ syncline plan contacts')
    .action(action<Options, readonly [conn: string]>(io, (call) => {
      const { full, timeout } = call.options
      const question = { dryRun: true, reason: 'a plan was asked for by the command line', ...(full === true ? { mode: 'full' as const } : {}) }
      return onBus(call, (bus) => runSync(call, bus, call.args[0], { question, isAwaited: true, timeoutMs: timeout }))
    }))
}
