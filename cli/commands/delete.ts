/** `syncline delete`: the connection goes, the data of both sides stays; with --state also what was remembered of it. */
import type { Command } from 'commander'
import { LeaseEntry } from '#libs/contracts/state.ts'
import { buckets, stateKeys } from '#libs/contracts/subjects.ts'
import { ConnectionId, type FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { purge } from '#libs/nats/stream-messages.ts'
import { action, type Call } from '../call.ts'
import { unknown } from '../documents.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { refusal, refusalOf, type Refusal } from '../refusal.ts'
import { readOne } from '../stored.ts'

type Options = { readonly yes?: boolean; readonly state?: boolean }
type Removed = { readonly what: string; readonly entries: number }

export const registerDelete = (program: Command, io: Io): void => {
  program
    .command('delete')
    .description('take a connection away; the data of its two sides is left alone')
    .argument('<connection>')
    .option('--yes', 'do it; without this it only says what would go')
    .option('--state', 'also forget what was remembered: links, checkpoint, status, statistics, history')
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

const remembered = (conn: ConnectionId): ReadonlyArray<readonly [name: string, bucket: string, key: string, rest: '' | '.>']> => [
  ['lease', buckets.state, stateKeys.lease(conn), ''],
  ['checkpoints', buckets.state, above(stateKeys.checkpoint(conn, anyFlow)), '.>'],
  ['links', buckets.state, above(stateKeys.page(conn, anyFlow, 0)), '.>'],
  ['status', buckets.status, conn, ''],
  ['statistics', buckets.stats, conn, ''],
  ['history', buckets.history, conn, ''],
]

const anyFlow = 'any' as FlowId
/** `page.<conn>` of `page.<conn>.<flow>.<n>`. */
const above = (key: string): string => key.split('.').slice(0, 2).join('.')

/** Forgetting under a run in progress would let it write its state back. */
const whoPlays = async (bus: Bus, conn: ConnectionId): Promise<Refusal | undefined> => {
  const lease = await readOne(bus, buckets.state, LeaseEntry, stateKeys.lease(conn))
  if (E.isLeft(lease)) return lease.left
  const { value } = lease.right
  return value === undefined || value.free ? undefined : refusal(exitCodes.busy, `${conn} is being synced now by ${value.owner}`, `pause and cancel it first: syncline pause ${conn} && syncline cancel ${conn}`)
}
