/** `syncline reset` and `syncline undo`: what a run would not do by itself, shown first and done with --confirm. */
import { Option, type Command } from 'commander'
import { HistoryEntry } from '#libs/contracts/status.ts'
import { decode } from '#libs/contracts/decode.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { OperatorQuestion } from '#libs/contracts/trigger.ts'
import { ConnectionId, FlowId, RunId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { asker } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { refusal } from '../refusal.ts'
import { runSync } from '../run-sync.ts'
import { sumOf } from '../show-result.ts'

type Sure = { readonly confirm?: boolean; readonly dryRun?: boolean; readonly reason?: string }
type ResetOptions = Sure & { readonly links?: boolean; readonly cursor?: boolean; readonly flow?: string }

const confirmOptions = (command: Command): Command =>
  command
    .addOption(new Option('--confirm', 'do it; without this it is only shown').conflicts('dryRun'))
    .option('--dry-run', 'only show it, and call that well done (exit code 0)')
    .option('--reason <text>', 'why; kept in the history and in the audit')

export const registerReset = (program: Command, io: Io): void => {
  confirmOptions(program
    .command('reset')
    .description('forget where a connection was read to, and with --links what is linked; the data of its two sides stays')
    .argument('<connection>'))
    .addOption(new Option('--cursor', 'only where the sides were read to: the next run compares everything (default)').conflicts('links'))
    .option('--links', 'also what is linked: the next run is a first sync, which deletes nothing')
    .option('--flow <flow>', 'only this flow')
    .addHelpText('after', `
It is done under the lease of the connection, so never while a run goes on (exit 4); paused ones can be reset too. After
--cursor deletions are still carried, and guarded. After --links what is equal on both sides is linked again, what differs is
a conflict for the strategy, what one side lacks is created there: also what was deleted since the last sync.

Examples:
  $ syncline reset contacts
  $ syncline reset contacts --links --confirm --reason "the folder was moved"`)
    .action(action<ResetOptions, readonly [conn: string]>(io, (call) => {
      const { links, flow } = call.options
      if (flow !== undefined && !FlowId.is(flow)) return Promise.resolve(call.refuse(refusal(exitCodes.usage, `"${flow}" is not the id of a flow`)))
      const wish: OperatorQuestion = { reset: links === true ? 'links' : 'cursor', ...(flow === undefined ? {} : { flow }) }
      return onBus(call, (bus) => ask(call, bus, call.args[0], wish, 'forgotten'))
    }))
}

export const registerUndo = (program: Command, io: Io): void => {
  confirmOptions(program
    .command('undo')
    .description('take a run back: what it overwrote and deleted is put back, what it created is taken out, unless edited since')
    .argument('<connection>')
    .argument('<run>', 'its id, as `syncline history` shows it'))
    .addHelpText('after', `
An item that anybody touched since, on either side, is left alone and named (exit 5). Both sides then stand as they do, though
they may differ, and the next runs are silent until one of them is edited. What is replaced is archived, so an undo can be
undone. Versions are kept for 30 days; the rows of a first load into a database are not noted, and not taken out.

Examples:
  $ syncline history contacts
  $ syncline undo contacts 01M7Z5PSXEKQ0AH0KR1ZS9N992 --dry-run
  $ syncline undo contacts 01M7Z5PSXEKQ0AH0KR1ZS9N992 --confirm --reason "wrong export"`)
    .action(action<Sure, readonly [conn: string, run: string]>(io, (call) => {
      const [conn, run] = call.args
      if (!RunId.is(run)) return Promise.resolve(call.refuse(refusal(exitCodes.usage, `"${run}" is not the id of a run`, `syncline history ${conn} shows them`)))
      return onBus(call, async (bus) => {
        if (call.options.confirm !== true) await noteRest(call, bus, conn, run)
        return ask(call, bus, conn, { undo: run }, 'taken back')
      })
    }))
}

const ask = async (call: Call<Sure, ReadonlyArray<unknown>>, bus: Bus, conn: string, wish: OperatorQuestion, done: string): Promise<ExitCode> => {
  const { confirm, dryRun, reason } = call.options
  const question = { ...wish, ...(confirm === true ? {} : { dryRun: true }), ...asker(call.io), ...(reason === undefined ? {} : { reason }) }
  const code = await runSync(call, bus, conn, { question, byOperator: true, isAwaited: true, timeoutMs: undefined })
  const wasShown = code === exitCodes.ok || code === exitCodes.partial
  if (!wasShown || confirm === true || dryRun === true) return code
  call.note(`syncline: nothing was ${done} yet; say --confirm to do it`)
  return exitCodes.usage
}

/** A run whose history is known may have done more than the archive tells of. */
const noteRest = async (call: Call<Sure, ReadonlyArray<unknown>>, bus: Bus, conn: string, run: string): Promise<void> => {
  if (!ConnectionId.is(conn)) return
  const entries = await openBucket(bus)(buckets.history).history(conn)()
  if (E.isLeft(entries)) return
  for (const { value } of entries.right) {
    const entry = value === null ? undefined : decode(HistoryEntry, value)
    if (entry === undefined || E.isLeft(entry) || entry.right.run !== run) continue
    const { created, updated, deleted } = sumOf(entry.right)
    call.note(`run ${run} ended as ${entry.right.outcome}: ${created} created, ${updated} updated, ${deleted} deleted`)
    return
  }
}
