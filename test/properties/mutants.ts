/** The engine with one safety taken away at a time, from the outside: by what its sides and its ports are wrapped in. */
import type { Side, Write } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { StateStore } from '../../services/sync-worker/ports.ts'
import { marked, markedSide } from './marked-side.ts'
import type { Mutant } from './world.ts'

const writesThrough = (side: Side, change: (write: Write) => Write): Side => ({
  ...side,
  write: (writes, signal) => side.write(writes.map(change), signal),
  ...(side.ledger === undefined ? {} : { ledger: { ...side.ledger, commit: (commit, signal) => side.ledger?.commit({ ...commit, writes: commit.writes.map(change) }, signal) ?? TE.right([]) } }),
})

const noPreconditions: Mutant = {
  name: 'writes carry no precondition',
  side: (_, side) => writesThrough(side, (write) => (write.do === 'create' ? write : { ...write, expect: null })),
}

/** Every commit holds the newest cursors, whatever is still to be done. */
const cursorFirst = (): Mutant => {
  const newest: { source: string | null; destination: string | null } = { source: null, destination: null }
  const ahead = (checkpoint: Checkpoint): Checkpoint => ({ ...checkpoint, phase: 'delta', cursorA: newest.source ?? checkpoint.cursorA, cursorB: newest.destination ?? checkpoint.cursorB })
  return {
    name: 'the cursor moves before the writes are done',
    side: (name, side) => ({
      ...side,
      read: (ask) => pipe(side.read(ask), TE.map((reader) => ({ ...reader, next: pipe(reader.next, TE.map((page) => {
        if (page.last) newest[name] = page.resume
        return page
      })) }))),
      ...(side.ledger === undefined ? {} : { ledger: { ...side.ledger, commit: (commit, signal) => side.ledger?.commit({ ...commit, settle: (wrote) => {
        const settled = commit.settle(wrote)
        return { ...settled, checkpoint: ahead(settled.checkpoint) }
      } }, signal) ?? TE.right([]) } }),
    }),
    ports: (ports) => ({
      ...ports,
      state: {
        ...ports.state,
        writeCheckpoint: (conn, flow, checkpoint, revision) => ports.state.writeCheckpoint(conn, flow, ahead(checkpoint), revision),
        writeBatch: (batch) => ports.state.writeBatch({ ...batch, checkpoint: { ...batch.checkpoint, value: ahead(batch.checkpoint.value) } }),
      },
    }),
  }
}

/** What a delta does not mention is taken for gone, and nobody asks. */
const deltasAsListings = (): Mutant => ({
  name: 'absence from a delta is taken for a deletion',
  side: (_, side) => {
    let isDelta = false
    return {
      ...side,
      read: (ask) => pipe(side.read(ask), TE.map((reader) => {
        isDelta = reader.coverage === 'delta'
        return { ...reader, coverage: 'listing' as const }
      })),
      fetch: (ids, signal) => (isDelta ? TE.right([]) : side.fetch(ids, signal)),
    }
  },
})

/** Every write of state is made with the conditions that hold just then. */
const unfenced = (state: StateStore): StateStore => ({
  ...state,
  writeCheckpoint: (conn, flow, checkpoint) => async () => {
    const lease = await state.readLease(conn)()
    return state.writeCheckpoint(conn, flow, checkpoint, E.isRight(lease) ? lease.right.revision : 1)()
  },
  writeBatch: (batch) => async () => {
    const lease = await state.readLease(batch.conn)()
    const checkpoint = await state.readCheckpoint(batch.conn, batch.flow)()
    const pages = await state.readPages(batch.conn, batch.flow, batch.pages.map(({ n }) => n))()
    if (E.isLeft(lease) || E.isLeft(checkpoint) || E.isLeft(pages)) return E.left({ is: 'not-stored', message: 'the store is away' })
    return state.writeBatch({
      ...batch,
      pages: batch.pages.map((page) => ({ ...page, revision: pages.right.get(page.n)?.revision ?? 0 })),
      checkpoint: { ...batch.checkpoint, revision: checkpoint.right?.revision ?? 0 },
      lease: { ...batch.lease, revision: lease.right.revision },
    })()
  },
})

/** The mutants and the invariant of SYNC.md §F.5 that must catch each. */
export const mutants: ReadonlyArray<{ readonly mutant: () => Mutant; readonly caughtBy: RegExp; readonly late?: true }> = [
  { mutant: () => noPreconditions, caughtBy: /^I7|^I1/ },
  { mutant: cursorFirst, caughtBy: /^I8/ },
  { mutant: () => ({ name: 'no consistency horizon', flow: { horizonMs: 0 } }), caughtBy: /^I5/, late: true },
  { mutant: () => ({ name: 'no guard: whatever is held is approved unseen', approvesAll: true }), caughtBy: /^I5/ },
  { mutant: () => ({ name: 'no adopt rule: equal contents look different', side: (name, side) => markedSide(name, side), sees: marked }), caughtBy: /^I2|^I4/ },
  { mutant: () => ({ name: 'no fence: state is written whoever holds the lease', ports: (ports) => ({ ...ports, state: unfenced(ports.state) }) }), caughtBy: /^I6/ },
  { mutant: () => ({ name: 'no archive: losers are thrown away', ports: (ports) => ({ ...ports, sayArchived: () => TE.right(undefined) }) }), caughtBy: /^I1/ },
  { mutant: deltasAsListings, caughtBy: /^I5/ },
]
