/** `syncline pause` and `syncline resume`: one flag of the document, changed only if nobody else changed it meanwhile. */
import type { Command } from 'commander'
import { E } from '#libs/fp.ts'
import { action } from '../call.ts'
import { changeDocument } from '../documents.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'

export const registerPause = (program: Command, io: Io): void => {
  program
    .command('pause')
    .description('skip every slot and refuse every request, until resumed')
    .argument('<connection>')
    .addHelpText('after', '\nA run that is going on is not touched: `syncline cancel` ends it.\n\nExample:\n  $ syncline pause contacts')
    .action(setPaused(io, true))
}

export const registerResume = (program: Command, io: Io): void => {
  program
    .command('resume')
    .description('let a paused connection run again')
    .argument('<connection>')
    .addHelpText('after', '\nExample:\n  $ syncline resume contacts')
    .action(setPaused(io, false))
}

const setPaused = (io: Io, paused: boolean) =>
  action<object, readonly [conn: string]>(io, (call) => onBus(call, async (bus) => {
    const [conn] = call.args
    const changed = await changeDocument(bus, conn, (connection) => ((connection.paused === true) === paused ? undefined : { ...connection, paused }))
    if (E.isLeft(changed)) return call.refuse(changed.left)
    const was = changed.right === 'as it was'
    call.say(`${conn}: ${was ? 'was already ' : ''}${paused ? 'paused' : was ? 'running by its schedule' : 'resumed'}`)
    call.json({ connection: conn, paused, changed: !was })
    return exitCodes.ok
  }))
