/** Answers of the state store that are lost, and writes that arrive late (SYNC.md §A.1.3 rule 3, §E.3). */
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { bench, checkpoint, conn, cursorOf, flow, leaseOf, page, writesOf } from '../../support/hold-rig.ts'

describe('an answer that is lost', () => {
  it('of the acquisition: the lease is ours after all', async () => {
    const { state, one } = bench()
    state.mischief.loseAnswer = true
    const hold = await one.take()
    expect((await leaseOf(state)).revision).toBe(hold.fence)
    expect(await hold.saveCheckpoint(flow, checkpoint('a'))).toMatchObject({ _tag: 'Right' })
    await hold.release([])
  })

  it('of an acquisition that arrives late: one owner, whose fence is the current revision', async () => {
    const { state, one } = bench()
    state.mischief.delayWrite = true
    const hold = await one.take()
    state.deliverLate()
    expect((await leaseOf(state)).revision).toBe(hold.fence)
    await hold.release([])
  })

  it('of a checkpoint that was stored: it is found, not written again', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    state.mischief.loseAnswer = true
    const saved = await hold.saveCheckpoint(flow, checkpoint('a'))
    expect(writesOf(state)).toEqual(['lease', 'ckpt', 'lease'])
    expect(saved).toEqual(E.right(state.log[1]?.revision))
    await hold.release([])
  })

  it('T52c of a checkpoint still on its way: written again, and the late one is refused', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    state.mischief.delayWrite = true
    expect(await hold.saveCheckpoint(flow, checkpoint('a'))).toMatchObject({ _tag: 'Right' })
    expect(await hold.saveCheckpoint(flow, checkpoint('b'))).toMatchObject({ _tag: 'Right' })
    state.deliverLate()
    expect(await cursorOf(state)).toBe('b')
    await hold.release([])
  })

  it('of a batch that was stored: its revisions are those it was stored with', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    state.mischief.loseAnswer = true
    const saved = await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    expect(saved).toEqual(E.right(state.log[1]?.revision))
    expect(writesOf(state)).toEqual(['lease', 'page', 'ckpt', 'lease', 'lease'])
    expect((await leaseOf(state)).entry?.n).toBe(1)
    await hold.release([])
  })

  it('of a batch that was stored, and of the renewal that was to confirm it', async () => {
    const { state, clock, one } = bench((inner) => {
      let lose = 2
      return {
        ...inner,
        writeBatch: (batch) => async () => ((lose--, void (await inner.writeBatch(batch)())), E.left({ is: 'unknown', message: 'lost' })),
        writeLease: (c, entry, expected, ttl) => async () => {
          const written = await inner.writeLease(c, entry, expected, ttl)()
          return entry.n === 1 && lose-- === 1 ? E.left({ is: 'unknown', message: 'lost' }) : written
        },
      }
    })
    const hold = await one.take()
    const saving = hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    await clock.pass(1_000)
    expect(await saving).toEqual(E.right(state.log[1]?.revision))
    await hold.release([])
  })

  it('T52c of a batch still on its way: written again, and the late one is refused', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    state.mischief.delayWrite = true
    const first = await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    if (E.isLeft(first)) throw new Error('not saved')
    expect(await hold.saveBatch(flow, [page('b', first.right)], checkpoint('b'), first.right + 1)).toMatchObject({ _tag: 'Right' })
    state.deliverLate()
    expect(await cursorOf(state)).toBe('b')
    await hold.release([])
  })

  it('T47 of a renewal: the refused checkpoint adopts the revision and lands on the second try', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    const { entry, revision } = await leaseOf(state)
    // Our own renewal as it lands without our knowing.
    if (entry !== null) await state.writeLease(conn, entry, revision, 30)()
    expect(await hold.saveCheckpoint(flow, checkpoint('a'))).toMatchObject({ _tag: 'Right' })
    await clock.pass(1_000)
    expect(await cursorOf(state)).toBe('a')
    await hold.release([])
  })
})
