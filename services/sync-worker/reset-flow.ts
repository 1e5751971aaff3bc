/**
 * Knows how one flow's memory is forgotten, under the connection's lease: where its sides were read to, and perhaps what is
 * linked. Both sides stay as they are. Without links the next run is a first one, which deletes nothing (SYNC.md §0 rule 7).
 */
import type { Side, TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import type { FlowEnd } from './flow-end.ts'
import { openKvLedger } from './kv-ledger.ts'
import type { FlowAsk } from './play-flow.ts'
import type { Ports, Stored } from './ports.ts'
import { isKeptBeside } from './where-kept.ts'

type Reset = { readonly ports: Ports; readonly ask: FlowAsk; readonly what: 'cursor' | 'links'; readonly dry: boolean; readonly trace: string }
type Done<A = void> = Promise<E.Either<SyncFailure, A>>

export const resetFlow = async (ports: Ports, ask: FlowAsk, trace: string): Done<FlowEnd> => {
  const { connection, flow, work } = ask
  const reset: Reset = { ports, ask, what: work.item.reset ?? 'cursor', dry: work.item.dryRun === true, trace }
  const read = await ports.state.readCheckpoint(connection.id, flow.id)()
  if (E.isLeft(read)) return E.left({ is: 'unavailable', message: `checkpoint of ${connection.id}/${flow.id} cannot be read: ${read.left.is}`, code: 'state-store' })
  const destination = await ports.openSide(connection, flow, 'destination', work.stop.signal)()
  if (E.isLeft(destination)) return E.left({ side: 'destination', ...destination.left, message: `what is remembered there cannot be looked at: ${destination.left.message}` })
  try {
    return await forget(reset, read.right, destination.right)
  } finally {
    await destination.right.close()
  }
}

const forget = async (reset: Reset, stored: Stored<Checkpoint> | null, { ledger, capabilities }: Pick<Side, 'ledger' | 'capabilities'>): Done<FlowEnd> => {
  const { ask: { flow, hold, work: { stop: { signal } } }, dry, what } = reset
  const beside = ledger === undefined ? E.right(null) : await ledger.peek(signal)()
  if (E.isLeft(beside)) return beside
  // A flow that changed its way, or the mode of its guards, has both: the one that is used says what the next run finds.
  const used = ledger !== undefined && isKeptBeside(flow, stored?.value ?? null, beside.right, capabilities) ? beside.right : (stored?.value ?? null)
  const all = [stored?.value ?? null, beside.right].filter((one) => one !== null)
  const links = what === 'links' ? Math.max(0, ...all.map((one) => one.links)) : 0
  const parked = what === 'links' ? Math.max(0, ...all.map((one) => one.parked)) : 0
  const next = what === 'links' || used === null || used.phase === 'first' ? 'first' : 'resync'
  const forgets = { cursor: all.some(({ cursorA, cursorB }) => cursorA !== null || cursorB !== null), links, parked, next } as const
  const end: FlowEnd = {
    phase: next, cursorBefore: used?.cursorA ?? null, cursorAfter: dry ? (used?.cursorA ?? null) : null,
    links: dry || what === 'cursor' ? (used?.links ?? 0) : 0, parkedNow: dry || what === 'cursor' ? (used?.parked ?? 0) : 0, warnings: [], forgets,
  }
  if (dry || all.length === 0) return E.right(end)
  const said = await audited(reset, links)
  if (E.isLeft(said)) return said
  if (signal.aborted || !hold.isTrusted()) return E.left(reset.ask.work.stop.why() ?? { is: 'fenced', message: 'the lease is not trusted any more' })
  const kept = stored === null ? E.right(undefined) : await forgetInStore(reset, stored)
  if (E.isLeft(kept)) return kept
  const besides = ledger === undefined || beside.right === null ? E.right(undefined) : await forgetBeside(reset, ledger)
  return E.isLeft(besides) ? besides : E.right(end)
}

/** Fenced as every commit: the pages that are emptied, the checkpoint and the lease go together. */
const forgetInStore = async (reset: Reset, { value, revision }: Stored<Checkpoint>): Done => {
  const { ports, what, ask: { connection, flow, hold } } = reset
  if (value.fence >= hold.fence) return E.left({ is: 'fence-regress', message: `the lease of ${connection.id} has revision ${hold.fence}, but revision ${value.fence} was used before: the store of leases went back in time`, mend: 'see docs/operating.md, "When the lease store went back in time"' })
  const ledger = openKvLedger(ports.state, hold, connection.id, flow.id, { checkpoint: value, revision, believed: what === 'cursor' })
  const saved = await ledger.commit([], [], forgotten(reset, value))
  return E.isLeft(saved) ? saved : E.right(undefined)
}

const forgetBeside = async (reset: Reset, ledger: TransactionalLedger): Done => {
  const { what, ask: { hold, work: { stop: { signal } } } } = reset
  const claimed = await ledger.claim(hold.fence, signal)()
  if (E.isLeft(claimed)) return claimed
  if (claimed.right === null) return E.right(undefined)
  const checkpoint = forgotten(reset, claimed.right)
  const done = what === 'links' ? await ledger.forget(checkpoint, signal)() : await ledger.commit({ fence: hold.fence, writes: [], settle: () => ({ puts: [], drops: [], checkpoint }) }, signal)()
  return E.isLeft(done) ? done : E.right(undefined)
}

/** A plan that waited for an approval is forgotten too. Without links it is as well forgotten whose they were. */
const forgotten = ({ ask: { hold, work }, what }: Reset, { heldPlan: _plan, heldFull: _full, ...before }: Checkpoint): Checkpoint => {
  const next: Checkpoint = { ...before, fence: hold.fence, run: work.item.run, cursorA: null, cursorB: null }
  if (what === 'cursor') return { ...next, phase: before.phase === 'first' ? 'first' : 'resync' }
  const { sideA: _a, sideB: _b, principalA: _pa, principalB: _pb, withoutDeletes: _w, ...bare } = next
  return { ...bare, phase: 'first', links: 0, parked: 0 }
}

const audited = ({ ports, ask: { connection, flow, work: { item } }, what, trace }: Reset, links: number): Done =>
  ports.sayAudit({
    conn: connection.id, act: 'reset', at: ports.clock.now(), run: item.run,
    what: what === 'links' ? `flow ${flow.id}: forgets its cursor and ${links} links` : `flow ${flow.id}: forgets its cursor`,
    ...(what === 'links' ? { count: links } : {}), ...(item.by === undefined ? {} : { by: item.by }), ...(item.reason === undefined ? {} : { reason: item.reason }),
  }, trace)()
