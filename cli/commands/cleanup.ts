/** `syncline cleanup`: what was remembered of connections that are gone, and what is older than it is kept. */
import { Option, type Command } from 'commander'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { purge, purgeBefore } from '#libs/nats/stream-messages.ts'
import { asker, audit, why } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { isStillGone, leftovers, type Expired, type Orphan } from '../leftovers.ts'
import { onBus } from '../on-bus.ts'
import { painter, table } from '../render.ts'
import { refusal, refusalOf, type Refusal } from '../refusal.ts'

type Options = { readonly confirm?: boolean; readonly dryRun?: boolean; readonly reason?: string }
type Args = readonly [conn?: string]
type Removed = { readonly connection: string; readonly what: string; readonly entries: number }

export const registerCleanup = (program: Command, io: Io): void => {
  program
    .command('cleanup')
    .description('remove what was remembered of connections that are gone, and what is older than it is kept')
    .argument('[connection]', 'only of this one, which is gone')
    .addOption(new Option('--confirm', 'do it; without this it is only shown').conflicts('dryRun'))
    .option('--dry-run', 'only show it, and call that well done (exit code 0)')
    .option('--reason <text>', 'why; kept in the audit')
    .addHelpText('after', '\nA connection that was deleted without --state, and is applied again, would go on where it stopped; not after this. Dead\nletters stay (`syncline dlq discard`), and so does what a PostgreSQL side keeps beside its rows.\n\nExamples:\n  $ syncline cleanup\n  $ syncline cleanup old-contacts --confirm')
    .action(action<Options, Args>(io, (call) => onBus(call, (bus) => cleanup(call, bus))))
}

const cleanup = async (call: Call<Options, Args>, bus: Bus): Promise<ExitCode> => {
  const found = await leftovers(bus, call.args[0], call.clock.now())
  if (E.isLeft(found)) return call.refuse(found.left)
  const { orphans, expired, busy } = found.right
  for (const conn of busy) call.note(`${conn} is gone, but a run of it still goes on: left as it is`)
  const rows = [...orphans.flatMap(({ conn, parts }) => parts.map(({ what, entries }) => [conn, what, String(entries)])), ...expired.map(({ stream, olderThan, atMost }) => ['', `${stream}, older than ${olderThan}`, `up to ${atMost}`])]
  if (rows.length === 0) {
    call.say(call.args[0] === undefined ? 'there is nothing to clean up' : `nothing is remembered of ${call.args[0]}`)
    call.json({ removed: [], orphans, expired, dryRun: call.options.confirm !== true })
    return call.args[0] === undefined ? exitCodes.ok : exitCodes.notFound
  }
  if (call.options.confirm !== true) {
    for (const line of table(['CONNECTION', 'WHAT', 'ENTRIES'], rows, painter(call.io))) call.say(line)
    call.json({ removed: [], orphans, expired, dryRun: true })
    if (call.options.dryRun === true) return exitCodes.ok
    call.note('syncline: nothing was removed yet; say --confirm to do it')
    return exitCodes.usage
  }
  const removed: Array<Removed> = []
  const tell = (one: Removed): void => {
    removed.push(one)
    call.say(`${one.connection === '' ? '' : `${one.connection}: `}removed ${one.what} (${one.entries})`)
  }
  for (const orphan of orphans) {
    const refused = await removeOrphan(call, bus, orphan, tell)
    if (refused !== undefined) return call.refuse(refusal(refused.code, `${refused.message} (${removed.length} were removed before)`, refused.mend))
  }
  for (const one of expired) {
    const refused = await removeExpired(call, bus, one, tell)
    if (refused !== undefined) return call.refuse(refused)
  }
  call.json({ removed, orphans, expired, dryRun: false })
  return exitCodes.ok
}

const removeOrphan = async (call: Call<Options, Args>, bus: Bus, { conn, parts }: Orphan, tell: (one: Removed) => void): Promise<Refusal | undefined> => {
  // Applied again meanwhile, it is nobody's leftover any more
  const gone = await isStillGone(bus, conn)
  if (E.isLeft(gone)) return gone.left
  if (!gone.right) return undefined
  for (const { what, entries, stream, filter } of parts) {
    const said = await audit(bus, { conn, act: 'cleanup', at: call.clock.now(), what: `removes ${what} of a connection that is gone`, count: entries, ...asker(call.io), ...why(call.options.reason) })
    if (E.isLeft(said)) return said.left
    const purged = await purge(bus)(stream, filter)()
    if (E.isLeft(purged)) return refusalOf(`${what} of ${conn} cannot be removed`)(purged.left)
    tell({ connection: conn, what, entries: purged.right })
  }
  return undefined
}

const removeExpired = async (call: Call<Options, Args>, bus: Bus, { stream, olderThan, atMost, before }: Expired, tell: (one: Removed) => void): Promise<Refusal | undefined> => {
  const said = await audit(bus, { conn: 'all', act: 'cleanup', at: call.clock.now(), what: `removes what is older than ${olderThan} from ${stream}`, count: atMost, ...asker(call.io), ...why(call.options.reason) })
  if (E.isLeft(said)) return said.left
  const purged = await purgeBefore(bus)(stream, before)()
  if (E.isLeft(purged)) return refusalOf(`${stream} cannot be cleaned`)(purged.left)
  tell({ connection: '', what: `what was older than ${olderThan} from ${stream}`, entries: purged.right })
  return undefined
}
