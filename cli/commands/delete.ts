/** `syncline delete`: the connection goes, the data of both sides stays; with --state also what was remembered of it. */
import type { Command } from 'commander'
import { buckets } from '#libs/contracts/subjects.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { purge } from '#libs/nats/stream-messages.ts'
import { asker, audit, why } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { unknown } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { refusal, refusalOf } from '../refusal.ts'
import { remembered, whoPlays } from '../remembered.ts'

type Options = { readonly yes?: boolean; readonly state?: boolean; readonly reason?: string }
type Removed = { readonly what: string; readonly entries: number }

export const registerDelete = (program: Command, io: Io): void => {
  program
    .command('delete')
    .description('take a connection away; the data of its two sides is left alone')
    .argument('<connection>')
    .option('--yes', 'do it; without this it only says what would go')
    .option('--state', 'also forget what was remembered: links, checkpoint, status, statistics, history')
    .option('--reason <text>', 'why; kept in the audit')
    .addHelpText('after', '\nWithout --state, applying the connection again goes on where it stopped. With it, the next first sync matches both\nsides anew; nothing is deleted by that. What a PostgreSQL side keeps beside its rows stays there.\n\nExample:\n  $ syncline delete contacts --yes')
    .action(action<Options, readonly [conn: string]>(io, (call) => onBus(call, (bus) => remove(call, bus))))
}

const remove = async (call: Call<Options, readonly [conn: string]>, bus: Bus): Promise<ExitCode> => {
  const [conn] = call.args
  const { yes, state } = call.options
  if (!ConnectionId.is(conn)) return call.refuse(await unknown(bus, conn))
  const entry = await openBucket(bus)(buckets.connections).get(conn)()
  if (E.isLeft(entry)) return call.refuse(refusalOf(`connection ${conn} cannot be read`)(entry.left))
  const isThere = entry.right !== undefined && entry.right.value !== null
  // What is remembered may outlive its connection
  if (!isThere && state !== true) return call.refuse(await unknown(bus, conn))
  const what = [...(isThere ? ['the connection document'] : []), ...(state === true ? ['links and checkpoint', 'status', 'statistics', 'history'] : [])]
  if (yes !== true) return call.refuse(refusal(exitCodes.usage, `this would remove of ${conn}: ${what.join(', ')}; the data of its two sides stays`, 'say --yes to do it'))

  const busy = state === true ? await whoPlays(bus, conn) : undefined
  if (busy !== undefined) return call.refuse(busy)
  const audited = await audit(bus, { conn, act: 'delete', at: call.clock.now(), what: `removes ${what.join(', ')}`, ...asker(call.io), ...why(call.options.reason) })
  if (E.isLeft(audited)) return call.refuse(audited.left)
  const removed: Array<Removed> = []
  if (isThere) {
    const deleted = await openBucket(bus)(buckets.connections).delete(conn, { previousSeq: entry.right.revision })()
    if (E.isLeft(deleted)) return call.refuse(refusalOf(`connection ${conn} cannot be deleted`)(deleted.left))
    removed.push({ what: 'connection document', entries: 1 })
  }
  for (const [name, bucket, key, rest] of state === true ? remembered(conn) : []) {
    const purged = await purge(bus)(`KV_${bucket}`, openBucket(bus)(bucket).subjectOf(key) + rest)()
    if (E.isLeft(purged)) return call.refuse(refusalOf(`${name} of ${conn} cannot be removed`)(purged.left))
    removed.push({ what: name, entries: purged.right })
  }
  for (const one of removed) call.say(`${conn}: removed ${one.what}${one.entries === 1 ? '' : ` (${one.entries} entries)`}`)
  call.json({ connection: conn, removed })
  return exitCodes.ok
}
