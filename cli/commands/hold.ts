/** `syncline hold` and `syncline release`: runs go on planning and showing, and write nothing meanwhile. */
import type { Command } from 'commander'
import { E } from '#libs/fp.ts'
import type { Connection } from '#libs/domain/connection.ts'
import { asker, audit, why } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { changeDocument, findDocument } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import type { Bus } from '#libs/nats/connect.ts'

type Options = { readonly reason?: string }
type Args = readonly [conn: string]

export const registerHold = (program: Command, io: Io): void => {
  program
    .command('hold')
    .description('let runs plan and show, and write nothing, until released')
    .argument('<connection>')
    .option('--reason <text>', 'why; shown in its status, kept in the audit')
    .addHelpText('after', '\nUnlike `pause`, which stops the runs: a held connection is still looked at, and `syncline plan` shows what waits. One plan\ncan be let through by `syncline approve`. A run that is going on is not touched: `syncline cancel` ends it.\n\nExample:\n  $ syncline hold contacts --reason "new export tomorrow"')
    .action(action<Options, Args>(io, (call) => onBus(call, (bus) => hold(call, bus))))
}

export const registerRelease = (program: Command, io: Io): void => {
  program
    .command('release')
    .description('let a held connection write again; the next run carries over what waits')
    .argument('<connection>')
    .option('--reason <text>', 'why; kept in the audit')
    .addHelpText('after', '\nExample:\n  $ syncline release contacts && syncline sync contacts --wait')
    .action(action<Options, Args>(io, (call) => onBus(call, (bus) => release(call, bus))))
}

const hold = async (call: Call<Options, Args>, bus: Bus): Promise<ExitCode> => {
  const at = call.clock.now()
  const held: NonNullable<Connection['hold']> = { at, ...asker(call.io), ...why(call.options.reason) }
  return change(call, bus, 'hold', (connection) => (connection.hold === undefined ? { ...connection, hold: held } : undefined))
}

const release = (call: Call<Options, Args>, bus: Bus): Promise<ExitCode> =>
  change(call, bus, 'release', (connection) => {
    const { hold: held, ...rest } = connection
    return held === undefined ? undefined : rest
  })

const change = async (call: Call<Options, Args>, bus: Bus, act: 'hold' | 'release', to: (connection: Connection) => Connection | undefined): Promise<ExitCode> => {
  const [conn] = call.args
  const found = await findDocument(bus, conn)
  if (E.isLeft(found)) return call.refuse(found.left)
  const isNews = to(found.right.document.connection) !== undefined
  if (isNews) {
    const said = await audit(bus, { conn, act, at: call.clock.now(), what: act === 'hold' ? 'runs write nothing until released' : 'runs write again', ...asker(call.io), ...why(call.options.reason) })
    if (E.isLeft(said)) return call.refuse(said.left)
  }
  const changed = isNews ? await changeDocument(bus, conn, to) : E.right('as it was' as const)
  if (E.isLeft(changed)) return call.refuse(changed.left)
  const was = changed.right === 'as it was'
  call.say(`${conn}: ${was ? (act === 'hold' ? 'was already held' : 'was not held') : act === 'hold' ? 'held; nothing is written until it is released' : 'released; the next run writes what waits'}`)
  call.json({ connection: conn, held: act === 'hold', changed: !was })
  return exitCodes.ok
}
