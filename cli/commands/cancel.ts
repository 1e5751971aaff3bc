/** `syncline cancel`: ends a run that goes on, or takes a queued one out, and says which it was. */
import type { Command } from 'commander'
import { E } from '#libs/fp.ts'
import { cancel } from '../ask-services.ts'
import { action } from '../call.ts'
import { findDocument } from '../documents.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'

export const registerCancel = (program: Command, io: Io): void => {
  program
    .command('cancel')
    .description('end the run that is going on, or take the queued one out')
    .argument('<connection>')
    .option('--reason <text>', 'why; kept in its history')
    .addHelpText('after', '\nWhat was committed stays, the rest comes with the next run. Exit 3 when there is nothing to cancel.\n\nExample:\n  $ syncline cancel contacts --reason "wrong folder"')
    .action(action<{ reason?: string }, readonly [conn: string]>(io, (call) => onBus(call, async (bus) => {
      const found = await findDocument(bus, call.args[0])
      if (E.isLeft(found)) return call.refuse(found.left)
      const { id } = found.right
      const answered = await cancel(bus, id, { verb: 'cancel', reason: call.options.reason ?? 'cancelled by the command line' })
      if (E.isLeft(answered)) return call.refuse(answered.left)
      const { found: what, run, message } = answered.right
      const said = { running: 'the run is being ended', queued: 'the run was taken out of the queue', over: 'nothing to cancel' }[what]
      call.say(`${id}: ${said}${run === undefined ? '' : ` (run ${run})`}${what === 'over' && message !== undefined ? `: ${message}` : ''}`)
      call.json({ connection: id, found: what, run: run ?? null, message: message ?? null })
      return what === 'over' ? exitCodes.notFound : exitCodes.ok
    })))
}
