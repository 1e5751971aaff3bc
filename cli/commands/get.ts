/** `syncline get`: the connections as they are stored. */
import { Option, type Command } from 'commander'
import { describeConnections } from '#libs/config/describe-connection.ts'
import { formatDuration } from '#libs/config/duration.ts'
import type { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { strategyOf, type Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { action, type Call } from '../call.ts'
import { allDocuments, findDocument, live } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { agoText, isoText, painter, table } from '../render.ts'

type Options = { readonly output?: 'table' | 'yaml' | 'json' }
type Args = readonly [conn?: string]

export const registerGet = (program: Command, io: Io): void => {
  program
    .command('get')
    .description('list the connections, or show one of them as configuration')
    .argument('[connection]', 'one connection: shown as YAML that `apply` takes')
    .addOption(new Option('-o, --output <form>', 'how to show it').choices(['table', 'yaml', 'json']))
    .addHelpText('after', '\nExamples:\n  $ syncline get\n  $ syncline get contacts -o yaml > contacts.yaml')
    .action(action<Options, Args>(io, (call) => onBus(call, async (bus) => {
      const [conn] = call.args
      if (conn !== undefined) {
        const found = await findDocument(bus, conn)
        return E.isLeft(found) ? call.refuse(found.left) : show(call, [found.right.document], 'yaml')
      }
      const all = await allDocuments(bus)
      if (E.isLeft(all)) return call.refuse(all.left)
      for (const [id, why] of all.right.unreadable) call.note(`${id} is unreadable: ${why}`)
      return show(call, live(all.right.values), 'table')
    })))
}

const show = (call: Call<Options, Args>, documents: ReadonlyArray<ConnectionDocument>, usual: 'table' | 'yaml'): ExitCode => {
  const { io, options, clock } = call
  const form = options.json === true ? 'json' : (options.output ?? usual)
  const told = documents.map((document) => ({ ...document, appliedAt: isoText(document.appliedAt) }))
  if (form === 'json') io.stdout(`${JSON.stringify(call.args[0] === undefined ? { connections: told } : told[0], null, 2)}\n`)
  else if (form === 'yaml') call.say(describeConnections(documents.map(({ connection }) => connection)).trimEnd())
  else if (documents.length === 0) call.say('there are no connections yet: syncline apply -f <file> makes some')
  else {
    const rows = documents.map(({ connection, appliedAt }) => [connection.id, scheduleText(connection), flowsText(connection), strategyOf(connection), connection.paused === true ? 'paused' : '', agoText(appliedAt, clock.now())])
    for (const line of table(['CONNECTION', 'SCHEDULE', 'FLOWS', 'STRATEGY', 'PAUSED', 'APPLIED'], rows, painter(io))) call.say(line)
  }
  return exitCodes.ok
}

const scheduleText = ({ schedule }: Connection): string => {
  switch (schedule.kind) {
    case 'manual':
      return 'manual'
    case 'interval':
      return `every ${formatDuration(schedule.everyMs)}`
    case 'cron':
      return `${schedule.expression} ${schedule.timeZone}`
  }
}

const flowsText = ({ flows }: Connection): string =>
  flows.map(({ id, source, destination, direction, kind }) => `${id === 'main' ? '' : `${id}: `}${source.provider} ${direction === 'one-way' ? '→' : '↔'} ${destination.provider} (${kind})`).join(', ')
