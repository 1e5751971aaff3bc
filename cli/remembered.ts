/** Knows where everything that is remembered of one connection stands, and whether a run is writing there now. */
import { LeaseEntry } from '#libs/contracts/state.ts'
import { buckets, stateKeys } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, type Refusal } from './refusal.ts'
import { readOne } from './stored.ts'

/** What is kept of a connection beside its document, its versions and its dead letters. */
export const remembered = (conn: ConnectionId): ReadonlyArray<readonly [name: string, bucket: string, key: string, rest: '' | '.>']> => [
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
export const whoPlays = async (bus: Bus, conn: ConnectionId): Promise<Refusal | undefined> => {
  const lease = await readOne(bus, buckets.state, LeaseEntry, stateKeys.lease(conn))
  if (E.isLeft(lease)) return lease.left
  const { value } = lease.right
  return value === undefined || value.free ? undefined : refusal(exitCodes.busy, `${conn} is being synced now by ${value.owner}`, `pause and cancel it first: syncline pause ${conn} && syncline cancel ${conn}`)
}
