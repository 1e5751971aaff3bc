/**
 * The laws of the worker's StateStore port: what every store of leases, checkpoints and ledger pages must keep for the fence
 * to hold (SYNC.md §A.1.2, §A.1.3; NATS.md §3.2). Run on memory, on one real server and on three.
 */
import { describe, expect, it } from 'vitest'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { leaseLaws } from './lease.laws.ts'
import { checkpoint, entry, flow, lawBench, left, right, type StateRig } from './state-law-rig.ts'

/** `rig` is asked inside the tests, so that it can be made before them. Side by side where time really passes. */
export const stateStoreLaws = (rig: () => StateRig, { sideBySide }: { readonly sideBySide: boolean }): void => {
  const about = sideBySide ? describe.concurrent : describe
  const { eventually, taken, givenBack, takenOn } = lawBench(rig)

  leaseLaws(rig, about)

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
      if (how === 'given back') await givenBack(state, conn, revision)
      if (how === 'taken over') await takenOn(state, conn, await givenBack(state, conn, revision))
      if (how === 'expired') await eventually('expired', async () => (await right(state.readLease(conn))).entry === null)
      expect(await left(state.writeCheckpoint(conn, flow, checkpoint(revision, 'a'), revision))).toBe('refused')
      expect(await right(state.readCheckpoint(conn, flow))).toBeNull()
    })

    it('is refused when the lease and its marker are both gone', async () => {
      const { state, conn, revision } = await taken()
      await givenBack(state, conn, revision)
      await eventually('forgotten', async () => (await right(state.readLease(conn))).revision === 0)
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
      await givenBack(state, conn, renewed)
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
      const { state, conn, revision } = await taken(600)
      await right(state.writeBatch({ conn, flow, pages: [], ttlSeconds: 1, checkpoint: { value: checkpoint(revision, 'a'), revision: 0 }, lease: { value: entry('one', 1), revision } }))
      await eventually('expired', async () => (await right(state.readLease(conn))).entry === null)
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
      await takenOn(state, conn, await givenBack(state, conn, revision))
      expect([await left(batchOn(revision, [[0, 'p0', 0]], 'zombie', 0)), await cursor()]).toEqual(['refused', undefined])
    })

    it('T52g is not even sent without a lease revision', async () => {
      const { state, conn, revision, batchOn, cursor } = await taken()
      await givenBack(state, conn, revision)
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
