/** A state store that answers what is not so: old leaders, older copies, too many batches (SYNC.md §A.6, §E.3). */
import { describe, expect, it } from 'vitest'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { bench, checkpoint, conn, cursorOf, flow, leaseOf, page, writesOf } from '../../support/hold-rig.ts'

const fenced = { left: { is: 'fenced' } }

describe('a store that answers what is not so', () => {
  it('T52e an old leader: a lease older than the one we wrote is not believed', async () => {
    const { state, clock, one, two } = bench()
    await (await two.take()).release([])
    const hold = await one.take({ attempt: 2 })
    state.mischief.loseAnswer = true
    // What stood there before ours: the other one's release.
    state.mischief.staleLeaseReads = 1
    const saving = hold.saveCheckpoint(flow, checkpoint('a'))
    await clock.pass(500)
    expect(await saving).toMatchObject({ _tag: 'Right' })
    expect(hold.isTrusted()).toBe(true)
    await hold.release([])
  })

  it('T52e an old leader: a page older than the stored one refuses the commit, and the run is to read again', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    const first = await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    expect(E.isRight(first)).toBe(true)
    expect(await hold.saveBatch(flow, [page('stale', 0)], checkpoint('b'), hold.fence + 2)).toMatchObject({ left: { is: 'unavailable', code: 'stale-read' } })
    expect(await cursorOf(state)).toBe('a')
    expect(hold.isTrusted()).toBe(true)
    await hold.release([])
  })

  it('T52h too many open batches: each waits its turn and lands', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    state.mischief.fullBatches = 9
    const saving = hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    await clock.pass(9_000)
    expect(await saving).toMatchObject({ _tag: 'Right' })
    expect(await cursorOf(state)).toBe('a')
    await hold.release([])
  })

  it('T52f an older copy, in which our revision is somebody else’s: after the reconnect the nonce tells, before any write', async () => {
    const { state, one, two } = bench()
    const restore = state.copy()
    const hold = await one.take()
    restore()
    const next = await two.take()
    expect(next.fence).toBe(hold.fence)
    state.reconnect()
    expect(await hold.saveCheckpoint(flow, checkpoint('zombie'))).toMatchObject(fenced)
    await hold.release([])
    expect(await cursorOf(state)).toBeUndefined()
    expect(await leaseOf(state)).toMatchObject({ entry: { owner: 'two', free: false } })
    expect(next.isTrusted()).toBe(true)
    await next.release([])
  })

  it('T52f an older copy: a release is a write like any other', async () => {
    const { state, one, two } = bench()
    const restore = state.copy()
    const hold = await one.take()
    restore()
    const next = await two.take()
    state.reconnect()
    await hold.release([])
    expect(await leaseOf(state)).toMatchObject({ entry: { owner: 'two', free: false } })
    expect(next.isTrusted()).toBe(true)
    await next.release([])
  })

  it('T52f an older copy, in which the lease is ours but a commit is missing: nothing more is written on it', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    const restore = state.copy()
    await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    restore()
    state.reconnect()
    const saving = hold.saveCheckpoint(flow, checkpoint('b'))
    await clock.pass(26_000)
    expect(await saving).toMatchObject(fenced)
    expect(await cursorOf(state)).toBeUndefined()
    await hold.release([])
  })

  it('a reconnect to the same store: confirmed at once, not only at the next renewal', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    await clock.pass(100)
    state.reconnect()
    await clock.pass(0)
    expect(writesOf(state)).toEqual(['lease', 'lease'])
    expect(hold.isTrusted()).toBe(true)
    await hold.release([])
    state.reconnect()
    await clock.pass(30_000)
    expect(writesOf(state)).toEqual(['lease', 'lease', 'lease'])
  })

  it('a checkpoint deleted by an operator: the next commit makes a new one', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    await hold.saveBatch(flow, [], checkpoint('a'), 0)
    state.remove(stateKeys.checkpoint(conn, flow))
    expect(await hold.saveBatch(flow, [], checkpoint('b'), 0)).toMatchObject({ _tag: 'Right' })
    await hold.release([])
  })
})
