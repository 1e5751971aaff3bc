/** `syncline versions`: what runs have overwritten or deleted, and the content of one of these versions. */
import type { Command } from 'commander'
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { decode } from '#libs/contracts/decode.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { linkKey } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { wholeVersion } from '#libs/nats/large-version.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import { contentText } from '../archived-content.ts'
import { action, type Call } from '../call.ts'
import { findDocument, unknown } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { refusal, refusalOf, type Refusal } from '../refusal.ts'
import { agoText, painter, table } from '../render.ts'
import { newest } from '../stored.ts'

type Options = { readonly show?: number; readonly limit: number; readonly flow?: string }
type Args = readonly [conn: string, key?: string]
type Seen = { readonly seq: number; readonly version: ArchivedVersion }

export const registerVersions = (program: Command, io: Io): void => {
  program
    .command('versions')
    .description('versions that runs have overwritten or deleted, newest first; kept for 30 days')
    .argument('<connection>')
    .argument('[key]', 'only of the item with this key: its UID, or its key fields')
    .option('--show <seq>', 'print the content of one version: a card, a calendar entry, or JSON', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--flow <flow>', 'only of this flow')
    .option('--limit <n>', 'most versions to show', wholeNumber(1, 10_000), 20)
    .addHelpText('after', '\nExamples:\n  $ syncline versions contacts\n  $ syncline versions contacts --show 17 > ada.vcf')
    .action(action<Options, Args>(io, (call) => onBus(call, async (bus) => {
      const [conn, key] = call.args
      if (!ConnectionId.is(conn)) return call.refuse(await unknown(bus, conn))
      return call.options.show === undefined ? list(call, bus, conn, key) : show(call, bus, conn, call.options.show)
    })))
}

const list = async (call: Call<Options, Args>, bus: Bus, conn: ConnectionId, key: string | undefined): Promise<ExitCode> => {
  const read = await archived(bus, conn, key, call.options)
  if (E.isLeft(read)) return call.refuse(read.left)
  if (read.right.length === 0) {
    const found = await findDocument(bus, conn)
    if (E.isLeft(found)) return call.refuse(found.left)
  }
  call.json({ connection: conn, versions: read.right.map(({ seq, version: { fields: _fields, conn: _conn, ...version } }) => ({ seq, ...version })) })
  const [now, paint] = [call.clock.now(), painter(call.io)]
  const rows = read.right.map(({ seq, version: { at, because, side, key: item, flow, rule } }) => [String(seq), agoText(at, now), because, side, flow, item, rule ?? ''])
  if (rows.length === 0) call.say(`nothing of ${conn}${key === undefined ? '' : ` with the key ${key}`} was overwritten or deleted in the last 30 days`)
  else for (const line of [...table(['SEQ', 'WHEN', 'BECAUSE', 'SIDE', 'FLOW', 'ITEM', 'RULE'], rows, paint), '', `content: syncline versions ${conn} --show <seq>`]) call.say(line)
  return exitCodes.ok
}

/** The subject holds a digest of flow and key, so one item's versions are found without reading the others'. */
const archived = async (bus: Bus, conn: ConnectionId, key: string | undefined, { limit, flow }: Options): Promise<E.Either<Refusal, ReadonlyArray<Seen>>> => {
  if (flow !== undefined && !FlowId.is(flow)) return E.left(refusal(exitCodes.usage, `"${flow}" is not the id of a flow`))
  const all = flow === undefined ? subjects.archivedOf(conn) : subjects.archive(conn, flow, '*')
  const filters = key === undefined ? [all] : await filtersFor(bus, conn, key, all)
  const found: Array<Seen> = []
  for (const filter of filters) {
    const messages = await newest(bus, streams.archive, filter, limit)
    if (E.isLeft(messages)) return messages
    for (const { seq, body } of messages.right) {
      const version = decode(ArchivedVersion, body)
      if (E.isRight(version)) found.push({ seq, version: version.right })
    }
  }
  const isWanted = ({ version }: Seen): boolean => (key === undefined || version.key === key) && (flow === undefined || version.flow === flow)
  return E.right(found.filter(isWanted).sort((a, b) => b.seq - a.seq).slice(0, limit))
}

/** A connection that is gone can still be looked at, at the price of reading all of its archive. */
const filtersFor = async (bus: Bus, conn: ConnectionId, key: string, all: string): Promise<ReadonlyArray<string>> => {
  const found = await findDocument(bus, conn)
  if (E.isLeft(found)) return [all]
  return found.right.document.connection.flows.map(({ id }) => subjects.archive(conn, id, linkKey(conn, id, key)))
}

const show = async (call: Call<Options, Args>, bus: Bus, conn: ConnectionId, seq: number): Promise<ExitCode> => {
  const read = await getMessage(bus)(streams.archive, { seq })()
  if (E.isLeft(read)) return call.refuse(refusalOf(`version ${seq}`)(read.left))
  const version = read.right === undefined ? undefined : decode(ArchivedVersion, read.right.body)
  if (version === undefined || (E.isRight(version) && version.right.conn !== conn)) {
    return call.refuse(refusal(exitCodes.notFound, `there is no version ${seq} of ${conn}`, `syncline versions ${conn} lists what there is`))
  }
  if (E.isLeft(version)) return call.refuse(refusal(exitCodes.failed, `version ${seq} is unreadable: ${version.left.report.join('; ')}`))
  const whole = await wholeVersion(bus)(version.right)()
  if (E.isLeft(whole)) return call.refuse(whole.left.is === 'lost-part' ? refusal(exitCodes.failed, whole.left.message) : refusalOf(`version ${seq}`)(whole.left))
  const content = contentText(whole.right)
  call.json({ seq, ...whole.right, content })
  call.say(content.trimEnd())
  return exitCodes.ok
}
