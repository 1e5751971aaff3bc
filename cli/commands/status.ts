/** `syncline status`: how each connection is, read from what the tracker keeps, so that it answers without the tracker too. */
import { Option, type Command } from 'commander'
import { Status } from '#libs/contracts/status.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { ConnectionState } from '#libs/domain/states.ts'
import { ConnectionState as States } from '#libs/domain/states.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { action, type Call } from '../call.ts'
import { allDocuments, findDocument, live } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { progressText } from '../progress-line.ts'
import { agoText, countsText, isoText, painter, stateColour, table } from '../render.ts'
import { readAllAs, readOne } from '../stored.ts'

type Options = { readonly state?: ConnectionState; readonly limit: number }
type Args = readonly [conn?: string]

export const registerStatus = (program: Command, io: Io): void => {
  program
    .command('status')
    .description('how the connections are: state, last sync, items, errors')
    .argument('[connection]', 'one connection, with all there is to tell')
    .addOption(new Option('--state <state>', 'only those in this state').choices(Object.keys(States.keys)))
    .option('--limit <n>', 'most connections to show', wholeNumber(1, 1_000_000), 1_000)
    .addHelpText('after', '\nExamples:\n  $ syncline status\n  $ syncline status contacts\n  $ syncline status --state error --json')
    .action(action<Options, Args>(io, (call) => onBus(call, (bus) => (call.args[0] === undefined ? everyOne(call, bus) : one(call, bus, call.args[0])))))
}

/** What is shown of a connection; the tracker may not have heard of it yet. */
type Shown = { readonly connection: string; readonly state: ConnectionState; readonly paused: boolean; readonly hold?: Connection['hold'] } & Partial<Omit<Status, 'conn' | 'state'>>

const shownOf = ({ id, paused: flag, hold }: Connection, status: Status | undefined): Shown => {
  const paused = flag === true
  const held = hold === undefined ? {} : { hold }
  // What the document says, the tracker hears a moment later, or with the next run
  const stateBy = (state: ConnectionState): ConnectionState => (paused ? 'paused' : hold !== undefined && (state === 'idle' || state === 'never_synced') ? 'held' : state)
  if (status === undefined) return { connection: id, state: stateBy('never_synced'), paused, ...held }
  const { conn: _conn, state, ...rest } = status
  return { connection: id, state: stateBy(state), paused, ...held, ...rest }
}

const holdText = ({ at, by, reason }: NonNullable<Connection['hold']>, now: number): string =>
  `by ${by ?? 'somebody'} ${agoText(at, now)}${reason === undefined ? '' : `: ${reason}`}`

const everyOne = async (call: Call<Options, Args>, bus: Bus): Promise<ExitCode> => {
  const { io, clock, options } = call
  const documents = await allDocuments(bus)
  if (E.isLeft(documents)) return call.refuse(documents.left)
  const statuses = await readAllAs(bus, buckets.status, Status)
  if (E.isLeft(statuses)) return call.refuse(statuses.left)
  for (const [id, why] of [...documents.right.unreadable, ...statuses.right.unreadable]) call.note(`${id} is unreadable: ${why}`)
  const all = live(documents.right.values)
    .map(({ connection }) => shownOf(connection, statuses.right.values.get(connection.id)?.value))
    .filter(({ state }) => options.state === undefined || state === options.state)
  const shown = all.slice(0, options.limit)
  call.json({ connections: shown, more: all.length > shown.length })
  const [now, paint] = [clock.now(), painter(io)]
  if (all.length === 0) call.say(options.state === undefined ? 'there are no connections yet: syncline apply -f <file> makes some' : `no connection is in the state ${options.state}`)
  else {
    const rows = shown.map((one) => [
      one.connection, paint(stateColour(one.state), one.state), agoText(one.lastSyncAt, now), one.lastRun?.outcome ?? '-', String(one.links ?? 0), String(one.parked ?? 0), noteOf(one, now),
    ])
    for (const line of table(['CONNECTION', 'STATE', 'LAST SYNC', 'LAST RUN', 'ITEMS', 'PARKED', 'NOTE'], rows, paint)) call.say(line)
  }
  if (all.length > shown.length) call.say(`… and ${all.length - shown.length} more: --limit`)
  return exitCodes.ok
}

const noteOf = ({ running, lastRun, held, hold, state }: Shown, now: number): string => {
  if (running?.state === 'retrying') return `retrying${running.nextAttemptAt === undefined ? '' : ` ${agoText(running.nextAttemptAt, now)}`}${running.progress?.error === undefined ? '' : `: ${running.progress.error}`}`
  if (hold !== undefined) return `held ${holdText(hold, now)}${held === undefined ? '' : `; plan ${held.plan}`}`
  if (held !== undefined && state === 'held') return `held by ${held.by}, plan ${held.plan}`
  return state === 'error' ? (lastRun?.error ?? '') : ''
}

const one = async (call: Call<Options, Args>, bus: Bus, conn: string): Promise<ExitCode> => {
  const found = await findDocument(bus, conn)
  if (E.isLeft(found)) return call.refuse(found.left)
  const status = await readOne(bus, buckets.status, Status, conn)
  if (E.isLeft(status)) return call.refuse(status.left)
  const shown = shownOf(found.right.document.connection, status.right.value)
  call.json(shown)
  const [now, paint] = [call.clock.now(), painter(call.io)]
  const time = (at: number | undefined): string => (at === undefined ? 'never' : `${agoText(at, now)} (${isoText(at)})`)
  call.say(`${conn}: ${paint(stateColour(shown.state), shown.state)}`)
  call.say(`  last sync   ${time(shown.lastSyncAt)}`)
  if (shown.lastRun !== undefined) call.say(`  last run    ${shown.lastRun.outcome} ${time(shown.lastRun.finishedAt)}, run ${shown.lastRun.run}`)
  if (shown.lastQuietAt !== undefined) call.say(`  last quiet  ${time(shown.lastQuietAt)}`)
  call.say(`  items       ${shown.links ?? 0}, ${shown.parked ?? 0} set aside`)
  if (shown.running?.progress !== undefined) call.say(`  now         ${progressText(shown.running.progress, now)}`)
  else if (shown.running !== undefined) call.say(`  now         ${shown.running.state} since ${agoText(shown.running.since, now)}, run ${shown.running.run}`)
  if (shown.running?.progress?.counts !== undefined) call.say(`  so far      ${countsText(shown.running.progress.counts)}`)
  if (shown.hold !== undefined) call.say(`  on hold     ${holdText(shown.hold, now)}; syncline release ${conn} takes it off`)
  if (shown.held !== undefined) call.say(`  held        by ${shown.held.by} in flow ${shown.held.flow}, plan ${shown.held.plan}: syncline plan ${conn}`)
  if (shown.lastSkip !== undefined) call.say(`  last skip   ${time(shown.lastSkip.at)}: ${shown.lastSkip.reason}`)
  if (shown.lastRun?.error !== undefined) call.say(`  error       ${paint('red', shown.lastRun.error)}`)
  if (shown.lastRun?.mend !== undefined) call.say(`  what to do  ${shown.lastRun.mend}`)
  if (shown.state === 'never_synced') call.say(`  why: syncline explain ${conn}`)
  return exitCodes.ok
}
