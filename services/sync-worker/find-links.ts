/**
 * Knows where the links of a spooled flow are kept now, what its checkpoint says there, and that no run with an older lease
 * gets in after this one (ADR 0016). Does not know what of it may be believed.
 */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { openBesideLedger } from './beside-ledger.ts'
import type { FlowLedger } from './flow-ledger.ts'
import { openKvLedger } from './kv-ledger.ts'
import type { Stored } from './ports.ts'
import type { FlowContext } from './run-context.ts'
import { isBare, isKeptBeside } from './where-kept.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

export type Kept = {
  readonly before: Checkpoint | null
  /** Whose links these were: `before`, or what KV still tells of a ledger that was lost with its database. */
  readonly known: Checkpoint | null
  /** `believed: false`: what is stored is no base, and is dropped with the first commit. */
  readonly open: (believed: boolean) => FlowLedger
}

/** `again`: this run has been here before. */
export const findLinks = async (context: FlowContext, again = false): Done<Kept> => {
  const { ports, connection, flow, hold, item, signal, b } = context
  const read = await ports.state.readCheckpoint(connection.id, flow.id)()
  if (E.isLeft(read)) return E.left({ is: 'unavailable', message: `checkpoint of ${connection.id}/${flow.id} cannot be read: ${read.left.is}`, code: 'state-store' })
  const stored = read.right
  if (!again && stored !== null && stored.value.fence >= hold.fence) {
    return E.left({
      is: 'fence-regress',
      message: `the lease of ${connection.id} has revision ${hold.fence}, but revision ${stored.value.fence} was used before: the store of leases went back in time`,
      mend: 'see "When the lease store went back in time" in docs/operating.md: lift its revisions above every one it gave',
    })
  }
  if (b.ledger === undefined || flow.direction === 'one-way') return E.right(inStore(context, stored))
  // A flow that began in KV is left alone: where it is, the schema beside the rows need not even be allowed.
  if (!b.capabilities.canWrite || (stored !== null && !isBare(stored.value))) {
    const seen = await b.ledger.peek(signal)()
    if (E.isLeft(seen)) return E.left({ ...seen.left, side: 'destination' })
    if (!isKeptBeside(flow, stored?.value ?? null, seen.right, b.capabilities)) return E.right(inStore(context, stored))
  }
  const claimed = await (item.dryRun === true || again ? b.ledger.peek(signal) : b.ledger.claim(hold.fence, signal))()
  return E.isLeft(claimed) ? E.left({ ...claimed.left, side: 'destination' }) : E.right(besideRows(context, b.ledger, claimed.right, stored))
}

const inStore = ({ ports, hold, connection, flow }: FlowContext, stored: Stored<Checkpoint> | null): Kept => ({
  before: stored?.value ?? null,
  known: stored?.value ?? null,
  open: (believed) => openKvLedger(ports.state, hold, connection.id, flow.id, { checkpoint: stored?.value ?? null, revision: stored?.revision ?? 0, believed: believed && stored !== null }),
})

const besideRows = (context: FlowContext, ledger: TransactionalLedger, before: Checkpoint | null, stored: Stored<Checkpoint> | null): Kept => ({
  before,
  known: before ?? stored?.value ?? null,
  open: (believed) => openBesideLedger(context, ledger, { checkpoint: before, believed, noted: (checkpoint) => note(context, checkpoint, stored?.value ?? null) }),
})

/**
 * In KV stays who stands behind the two sides: a destination that was exchanged for another brings no ledger that could tell.
 * What else may stand there is of a time before, and no base any more.
 */
const note = async ({ hold, flow }: FlowContext, { heldPlan: _plan, heldFull: _full, approvedPlan: _approved, withoutDeletes: _without, ...checkpoint }: Checkpoint, stored: Checkpoint | null): Done<void> => {
  const isTold = stored !== null && isBare(stored) && stored.pages === 0 && stored.cfgHash === checkpoint.cfgHash
    && stored.sideA === checkpoint.sideA && stored.sideB === checkpoint.sideB && stored.principalA === checkpoint.principalA && stored.principalB === checkpoint.principalB
  if (isTold) return E.right(undefined)
  const saved = await hold.saveCheckpoint(flow.id, { ...checkpoint, phase: 'first', gen: 0, cursorA: null, cursorB: null, pages: 0, links: 0, parked: 0 })
  return E.isLeft(saved) ? saved : E.right(undefined)
}
