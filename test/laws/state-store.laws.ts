/**
 * The laws of the worker's StateStore port: what every store of leases, checkpoints and ledger pages must keep for the fence
 * to hold (SYNC.md §A.1.2, §A.1.3; NATS.md §3.2). Run on memory, on one real server and on three.
 */
import { describe, expect, it } from 'vitest'
import { stateKeys } from '#libs/contracts/subjects.ts'
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

const flow = 'main' as FlowId
const entry = (owner: string, n = 0): LeaseEntry => ({ owner, nonce: `${owner}-nonce`, run: `${owner}-run`, n, free: false })
const checkpoint = (fence: number, cursor: string): Checkpoint => ({ fence, run: 'r', phase: 'delta', gen: 0, cursorA: cursor, cursorB: null, cfgHash: 'h', pages: 2, links: 1, parked: 0 })
const page = (text: string): LedgerPage => ({ links: { k: { key: text, st: 'linked' } } })

const right = async <A>(effect: TE.TaskEither<StoreFailure, A>): Promise<A> => {
  const result = await effect()
  if (result._tag === 'Left') throw new Error(`expected success, got ${JSON.stringify(result.left)}`)
  return result.right
}
const left = async (effect: TE.TaskEither<StoreFailure, unknown>): Promise<StoreFailure['is']> => {
  const result = await effect()
  if (result._tag === 'Right') throw new Error(`expected a failure, got ${JSON.stringify(result.right)}`)
  return result.left.is
}

/** `rig` is asked inside the tests, so that it can be made before them. Side by side where time really passes. */
export const stateStoreLaws = (rig: () => StateRig, { sideBySide }: { readonly sideBySide: boolean }): void => {
  const about = sideBySide ? describe.concurrent : describe
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

  about('a lease', () => {
    it('was never there: revision 0, nobody', async () => {
      const { state, fresh } = rig()
      expect(await right(state.readLease(fresh()))).toEqual({ entry: null, revision: 0, ageMs: 0 })
    })

    it('is taken once: the second who expects none is refused', async () => {
      const { state, conn, revision } = await taken()
      expect(revision).toBeGreaterThan(0)
      expect(await left(state.writeLease(conn, entry('two'), 0, 30))).toBe('refused')
      expect(await right(state.readLease(conn))).toMatchObject({ entry: entry('one'), revision })
    })

    it('is taken by one of many who try at once', async () => {
      const [{ state }, conn] = [rig(), rig().fresh()]
      const tried = await Promise.all(Array.from({ length: 8 }, (_, i) => state.writeLease(conn, entry(`w${i}`), 0, 30)()))
      const won = tried.flatMap((one) => (one._tag === 'Right' ? [one.right] : []))
      expect(won).toHaveLength(1)
      expect((await right(state.readLease(conn))).revision).toBe(won[0])
    })

    it('is renewed on its revision only, which moves on', async () => {
      const { state, conn, revision } = await taken()
      const renewed = await right(state.writeLease(conn, entry('one'), revision, 30))
      expect(renewed).toBeGreaterThan(revision)
      expect(await left(state.writeLease(conn, entry('one'), revision, 30))).toBe('refused')
    })

    it('lives on when it is renewed, and expires when it is not; its marker has a revision of its own', async () => {
      const { state, conn, revision } = await taken(2)
      await rig().pass(1_200)
      const renewed = await right(state.writeLease(conn, entry('one'), revision, 2))
      await rig().pass(1_200)
      expect((await right(state.readLease(conn))).revision).toBe(renewed)
      await rig().pass(1_600)
      const gone = await right(state.readLease(conn))
      expect(gone.entry).toBeNull()
      expect(gone.revision).toBeGreaterThan(renewed)
      expect(await left(state.writeLease(conn, entry('one'), renewed, 2))).toBe('refused')
      expect(await right(state.writeLease(conn, entry('two'), gone.revision, 30))).toBeGreaterThan(gone.revision)
    })

    it('is given back on its revision only, and taken again on what that leaves', async () => {
      const { state, conn, revision } = await taken()
      expect(await left(state.dropLease(conn, revision - 1))).toMatch(/refused|broken/)
      const marker = await right(state.dropLease(conn, revision))
      expect(await right(state.readLease(conn))).toMatchObject({ entry: null, revision: marker })
      expect(await left(state.writeLease(conn, entry('one'), revision, 30))).toBe('refused')
      expect(await right(state.writeLease(conn, entry('two'), marker, 30))).toBeGreaterThan(marker)
    })

    it('is taken as if it had never been there, a while after it was given back', async () => {
      const { state, conn, revision } = await taken()
      await right(state.dropLease(conn, revision))
      await rig().pass(3_200)
      expect(await right(state.writeLease(conn, entry('two'), 0, 30))).toBeGreaterThan(revision)
    })
  })

  about('a checkpoint on its own', () => {
    it('lands on the current revision of the lease and answers its own', async () => {
      const { state, conn, revision } = await taken()
      const stored = await right(state.writeCheckpoint(conn, flow, checkpoint(revision, 'a'), revision))
      expect(await right(state.readCheckpoint(conn, flow))).toEqual({ value: checkpoint(revision, 'a'), revision: stored })
    })

    it('T52b is stored with the condition that names the lease', async () => {
      const { headersOf } = rig()
      if (headersOf === undefined) return
      const { state, conn, revision } = await taken()
      await right(state.writeCheckpoint(conn, flow, checkpoint(revision, 'a'), revision))
      const headers = await headersOf(stateKeys.checkpoint(conn, flow))
      expect(headers).toMatchObject({ 'Nats-Expected-Last-Subject-Sequence': String(revision), 'Nats-Expected-Last-Subject-Sequence-Subject': `$KV.sync_state.${stateKeys.lease(conn)}` })
      expect(headers).not.toHaveProperty('Nats-TTL')
    })

    it.each(['renewed', 'given back', 'taken over', 'expired'] as const)('is refused when the lease was %s meanwhile', async (how) => {
      const { state, conn, revision } = await taken(how === 'expired' ? 1 : 30)
      if (how === 'renewed') await right(state.writeLease(conn, entry('one'), revision, 30))
      if (how === 'given back') await right(state.dropLease(conn, revision))
      if (how === 'taken over') await right(state.writeLease(conn, entry('two'), await right(state.dropLease(conn, revision)), 30))
      if (how === 'expired') await rig().pass(1_600)
      expect(await left(state.writeCheckpoint(conn, flow, checkpoint(revision, 'a'), revision))).toBe('refused')
      expect(await right(state.readCheckpoint(conn, flow))).toBeNull()
    })

    it('is refused when the lease and its marker are both gone', async () => {
      const { state, conn, revision } = await taken()
      await right(state.dropLease(conn, revision))
      await rig().pass(3_200)
      expect(await left(state.writeCheckpoint(conn, flow, checkpoint(revision, 'a'), revision))).toBe('refused')
    })

    it('T52g is not even sent without a lease revision: 0 is no fence', async () => {
      const [{ state }, conn] = [rig(), rig().fresh()]
      expect(await left(state.writeCheckpoint(conn, flow, checkpoint(1, 'a'), 0))).toBe('broken')
      expect(await right(state.readCheckpoint(conn, flow))).toBeNull()
    })

    it('comes once more, late: let in while the lease stands still, refused after the next renewal and after the release', async () => {
      const { state, conn, revision, cursor } = await taken()
      const early = state.writeCheckpoint(conn, flow, checkpoint(revision, 'early'), revision)
      await right(early)
      await right(state.writeCheckpoint(conn, flow, checkpoint(revision, 'later'), revision))
      // The hole of the one-publish way (NATS.md §3.2): why an unclear answer is followed by a renewal before anything else.
      await right(early)
      expect(await cursor()).toBe('early')
      const renewed = await right(state.writeLease(conn, entry('one'), revision, 30))
      expect(await left(early)).toBe('refused')
      const late = state.writeCheckpoint(conn, flow, checkpoint(revision, 'late'), renewed)
      await right(state.dropLease(conn, renewed))
      expect([await left(late), await cursor()]).toEqual(['refused', 'early'])
    })
  })

  about('a batch', () => {
    it('stores pages, checkpoint and lease with revisions in a row, and the lease moves to the last', async () => {
      const { state, conn, revision, batchOn, cursor, pages } = await taken()
      const last = await right(batchOn(revision, [[0, 'p0', 0], [1, 'p1', 0]], 'a', 0))
      const stored = await right(state.readPages(conn, flow, [0, 1, 7]))
      expect([stored.get(0)?.revision, stored.get(1)?.revision, stored.get(7)]).toEqual([last - 3, last - 2, undefined])
      expect((await right(state.readCheckpoint(conn, flow)))?.revision).toBe(last - 1)
      expect(await right(state.readLease(conn))).toMatchObject({ revision: last, entry: { n: 1 } })
      expect([await cursor(), await pages(0, 1)]).toEqual(['a', new Map([[0, 'p0'], [1, 'p1']])])
    })

    it('renews the lease with its time to live', async () => {
      const { state, conn, revision } = await taken(30)
      await right(state.writeBatch({ conn, flow, pages: [], ttlSeconds: 1, checkpoint: { value: checkpoint(revision, 'a'), revision: 0 }, lease: { value: entry('one', 1), revision } }))
      await rig().pass(1_600)
      expect((await right(state.readLease(conn))).entry).toBeNull()
      expect(await right(state.readCheckpoint(conn, flow))).not.toBeNull()
    })

    it('T52b ends with the lease under its own condition; every message carries one, and only the lease a time to live', async () => {
      const { headersOf } = rig()
      if (headersOf === undefined) return
      const { conn, revision, batchOn } = await taken()
      await right(batchOn(revision, [[0, 'p0', 0]], 'a', 0))
      expect(await headersOf(stateKeys.lease(conn))).toMatchObject({ 'Nats-Expected-Last-Subject-Sequence': String(revision), 'Nats-TTL': '30s' })
      for (const key of [stateKeys.page(conn, flow, 0), stateKeys.checkpoint(conn, flow)]) {
        const headers = await headersOf(key)
        expect(headers).toMatchObject({ 'Nats-Expected-Last-Subject-Sequence': '0' })
        expect(headers).not.toHaveProperty('Nats-TTL')
      }
    })

    it.each(['a page', 'the checkpoint', 'the lease'] as const)('is refused whole when %s moved meanwhile', async (what) => {
      const { state, conn, revision, batchOn, cursor, pages } = await taken()
      const first = await right(batchOn(revision, [[0, 'p0', 0]], 'a', 0))
      const stale = { page: first - 2, checkpoint: first - 1, lease: first }
      if (what === 'a page') stale.page -= 1
      if (what === 'the checkpoint') stale.checkpoint -= 1
      if (what === 'the lease') await right(state.writeLease(conn, entry('one', 1), first, 30))
      expect(await left(batchOn(stale.lease, [[1, 'p1', 0], [0, 'p0 again', stale.page]], 'b', stale.checkpoint))).toBe('refused')
      expect([await cursor(), await pages(0, 1)]).toEqual(['a', new Map([[0, 'p0']])])
      expect((await right(state.readLease(conn))).entry?.n).toBe(1)
    })

    it('T52c comes once more, late: refused', async () => {
      const { state, conn, revision, batchOn, cursor } = await taken()
      const early = batchOn(revision, [[0, 'early', 0]], 'early', 0)
      const first = await right(early)
      expect(await left(early)).toBe('refused')
      await right(state.writeCheckpoint(conn, flow, checkpoint(revision, 'later'), first))
      expect(await left(early)).toBe('refused')
      expect(await cursor()).toBe('later')
    })

    it('of a former owner is refused after the lease was taken over', async () => {
      const { state, conn, revision, batchOn, cursor } = await taken()
      await right(state.writeLease(conn, entry('two'), await right(state.dropLease(conn, revision)), 30))
      expect([await left(batchOn(revision, [[0, 'p0', 0]], 'zombie', 0)), await cursor()]).toEqual(['refused', undefined])
    })

    it('T52g is not even sent without a lease revision', async () => {
      const { state, conn, revision, batchOn, cursor } = await taken()
      await right(state.dropLease(conn, revision))
      expect([await left(batchOn(0, [], 'a', 0)), await cursor()]).toEqual(['broken', undefined])
    })

    it('lands where an operator deleted checkpoint and pages: what was deleted counts as not there', async () => {
      const { state, conn, revision, batchOn, cursor, pages } = await taken()
      const first = await right(batchOn(revision, [[0, 'p0', 0]], 'a', 0))
      await rig().remove(stateKeys.checkpoint(conn, flow))
      await rig().remove(stateKeys.page(conn, flow, 0))
      expect(await right(state.readCheckpoint(conn, flow))).toBeNull()
      const emptied = (await right(state.readPages(conn, flow, [0]))).get(0)
      expect(emptied?.value).toEqual({ links: {} })
      const second = await right(batchOn(first, [[0, 'new', emptied?.revision ?? 0]], 'b', 0))
      expect([await cursor(), await pages(0), (await right(state.readLease(conn))).revision]).toEqual(['b', new Map([[0, 'new']]), second])
    })
  })
}
