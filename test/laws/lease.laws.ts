/** The laws of a lease in the worker's StateStore port (SYNC.md §A.1.2); a part of state-store.laws.ts. */
import { expect, it } from 'vitest'
import { entry, lawBench, left, right, type StateRig } from './state-law-rig.ts'

export const leaseLaws = (rig: () => StateRig, about: (what: string, laws: () => void) => void): void => {
  const { eventually, taken, givenBack, renewedInTime, takenOn } = lawBench(rig)

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

    it('lives on when it is renewed', async () => {
      const { state, conn, renewed } = await renewedInTime()
      await rig().pass(2_600)
      expect(await right(state.readLease(conn))).toMatchObject({ entry: entry('one'), revision: renewed })
    })

    it('expires when it is not; its marker has a revision of its own', async () => {
      const { state, conn, renewed } = await renewedInTime()
      const last = await right(state.writeLease(conn, entry('one'), renewed, 1))
      let gone = await right(state.readLease(conn))
      await eventually('expired', async () => (gone = await right(state.readLease(conn))).entry === null)
      expect(await left(state.writeLease(conn, entry('one'), last, 2))).toBe('refused')
      expect(gone.revision === 0 || gone.revision > last).toBe(true)
      expect(await takenOn(state, conn, gone.revision)).toBeGreaterThan(last)
    })

    it('is given back on its revision only, and taken again on what that leaves', async () => {
      const { state, conn, revision } = await taken()
      await state.dropLease(conn, revision - 1)()
      expect(await right(state.readLease(conn))).toMatchObject({ entry: entry('one'), revision })
      const marker = await givenBack(state, conn, revision)
      expect(await left(state.writeLease(conn, entry('one'), revision, 30))).toBe('refused')
      expect(await takenOn(state, conn, marker)).toBeGreaterThan(marker)
    })

    it('is taken as if it had never been there, a while after it was given back', async () => {
      const { state, conn, revision } = await taken()
      await givenBack(state, conn, revision)
      await eventually('forgotten', async () => (await right(state.readLease(conn))).revision === 0)
      expect(await right(state.writeLease(conn, entry('two'), 0, 30))).toBeGreaterThan(revision)
    })
  })
}
