/** Knows what the laws of the state store need: a store to ask, samples to put in, and answers taken apart. */
import { expect } from 'vitest'
import type { LeaseEntry, LedgerPage } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import type { TE } from '#libs/fp.ts'
import type { StateStore, StoreFailure } from '../../services/sync-worker/ports.ts'

export type StateRig = {
  readonly state: StateStore
  /** A connection nobody has used. */
  readonly fresh: () => ConnectionId
  readonly pass: (ms: number) => Promise<void>
  /** Behind the store's back, as `nats kv del sync_state <key>` does: leaves a marker. */
  readonly remove: (key: string) => Promise<void>
  /** The headers with which the server keeps the last message of a key; absent where there are none. */
  readonly headersOf?: (key: string) => Promise<Readonly<Record<string, string>>>
}

export const flow = 'main' as FlowId
export const entry = (owner: string, n = 0): LeaseEntry => ({ owner, nonce: `${owner}-nonce`, run: `${owner}-run`, n, free: false })
export const checkpoint = (fence: number, cursor: string): Checkpoint => ({ fence, run: 'r', phase: 'delta', gen: 0, cursorA: cursor, cursorB: null, cfgHash: 'h', pages: 2, links: 1, parked: 0 })
export const page = (text: string): LedgerPage => ({ links: { k: { key: text, st: 'linked' } } })

export const right = async <A>(effect: TE.TaskEither<StoreFailure, A>): Promise<A> => {
  const result = await effect()
  if (result._tag === 'Left') throw new Error(`expected success, got ${JSON.stringify(result.left)}`)
  return result.right
}
export const left = async (effect: TE.TaskEither<StoreFailure, unknown>): Promise<StoreFailure['is']> => {
  const result = await effect()
  if (result._tag === 'Right') throw new Error(`expected a failure, got ${JSON.stringify(result.right)}`)
  return result.left.is
}

export const lawBench = (rig: () => StateRig) => {
  /** Servers remove what has expired when they come to it, on a busy machine late. */
  const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (let looks = 0; !(await holds()); looks++) {
      if (looks === 300) throw new Error(`never ${what}`)
      await rig().pass(200)
    }
  }
  const taken = async (ttlSeconds = 30) => {
    const { state, fresh } = rig()
    const conn = fresh()
    const revision = await right(state.writeLease(conn, entry('one'), 0, ttlSeconds))
    const batchOn = (leaseRevision: number, pages: ReadonlyArray<readonly [n: number, text: string, revision: number]>, cursor: string, checkpointRevision: number) =>
      state.writeBatch({
        conn, flow, ttlSeconds: 30, pages: pages.map(([n, text, expected]) => ({ n, page: page(text), revision: expected })),
        checkpoint: { value: checkpoint(revision, cursor), revision: checkpointRevision }, lease: { value: entry('one', 1), revision: leaseRevision },
      })
    const cursor = async () => (await right(state.readCheckpoint(conn, flow)))?.value.cursorA
    const pages = async (...numbers: ReadonlyArray<number>) => new Map([...(await right(state.readPages(conn, flow, numbers)))].map(([n, stored]) => [n, stored.value.links['k']?.key]))
    return { state, conn, revision, batchOn, cursor, pages }
  }

  /** Answers the revision of the marker, 0 where it is gone already. */
  const givenBack = async (state: StateStore, conn: ConnectionId, revision: number): Promise<number> => {
    await right(state.dropLease(conn, revision))
    await eventually('given back', async () => (await right(state.readLease(conn))).entry === null)
    return (await right(state.readLease(conn))).revision
  }

  /** A lease of two seconds, renewed for long before they were over; who came too late begins again with another. */
  const renewedInTime = async () => {
    for (;;) {
      const { state, conn, revision } = await taken(2)
      const renewed = await state.writeLease(conn, entry('one'), revision, 600)()
      if (renewed._tag === 'Right') return { state, conn, renewed: renewed.right }
    }
  }

  /** Another takes what a marker is left of; only who comes so late that the marker is gone as well expects nothing there. */
  const takenOn = async (state: StateStore, conn: ConnectionId, marker: number): Promise<number> => {
    const written = await state.writeLease(conn, entry('two'), marker, 30)()
    if (written._tag === 'Right') return written.right
    expect(await right(state.readLease(conn))).toMatchObject({ entry: null, revision: 0 })
    return right(state.writeLease(conn, entry('two'), 0, 30))
  }

  return { eventually, taken, givenBack, renewedInTime, takenOn }
}
