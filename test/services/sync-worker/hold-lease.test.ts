/** The fence of a run under every mischief a store can do (SYNC.md §A.1.3, §E.3), on the store in memory. */
import { describe, expect, it } from 'vitest'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { StateStore } from '../../../services/sync-worker/ports.ts'
import { checkpoint, conn, cursorOf, flow, leaseOf, manualClock, page, worker } from '../../support/hold-rig.ts'
import { memoryState } from '../../support/memory-state.ts'

const bench = (wrap: (state: StateStore) => StateStore = (state) => state) => {
  const state = memoryState()
  const clock = manualClock((ms) => state.advance(ms))
  return { state, clock, one: worker('one', wrap(state), clock), two: worker('two', state, clock) }
}
const fenced = { left: { is: 'fenced' } }
const writesOf = (state: ReturnType<typeof memoryState>) => state.log.map(({ key }) => key.split('.')[0])

describe('a run that holds its lease', () => {
  it('renews it while it works, and its work item with it', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    await clock.pass(95_000)
    expect(hold.isTrusted()).toBe(true)
    expect(one.worked()).toBe(9)
    await hold.release([])
    expect(await leaseOf(state)).toMatchObject({ entry: null })
    await clock.pass(60_000)
    expect(writesOf(state).filter((kind) => kind === 'lease')).toHaveLength(1 + 9 + 1)
  })

  it('counts each commit in the lease, and renews with it', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    const first = await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
    expect(first).toEqual(E.right(hold.fence + 1))
    await clock.pass(9_000)
    expect(await hold.saveBatch(flow, [page('b', hold.fence + 1)], checkpoint('b'), hold.fence + 2)).toMatchObject({ _tag: 'Right' })
    expect((await leaseOf(state)).entry?.n).toBe(2)
    await hold.release([])
  })

  it('T52d has one state write in flight at a time, whatever asks for one', async () => {
    let inFlight = 0
    let most = 0
    const slow = <A>(effect: () => Promise<A>) => async (): Promise<A> => {
      most = Math.max(most, ++inFlight)
      await new Promise((done) => setImmediate(done))
      const answer = await effect()
      inFlight--
      return answer
    }
    const { state, clock, one } = bench((inner) => ({
      ...inner,
      writeLease: (...args) => slow(inner.writeLease(...args)),
      dropLease: (...args) => slow(inner.dropLease(...args)),
      writeCheckpoint: (...args) => slow(inner.writeCheckpoint(...args)),
      writeBatch: (batch) => slow(inner.writeBatch(batch)),
    }))
    const hold = await one.take()
    const saves = [...Array(20).keys()].map((n) => (n % 4 === 0 ? hold.saveBatch(flow, [page(`${n}`, 0, n)], checkpoint(`${n}`), -1) : hold.saveCheckpoint(flow, checkpoint(`${n}`))))
    await Promise.all([...saves, clock.pass(12_000)])
    await hold.release([])
    expect([most, inFlight]).toEqual([1, 0])
    expect(await cursorOf(state)).toBe('19')
  })

  it('gives it back once, whoever asks again', async () => {
    const { state, one } = bench()
    const hold = await one.take()
    await Promise.all([hold.release([]), hold.release([]), hold.release([{ attempt: 1, at: 0, error: 'x' }])])
    expect(writesOf(state)).toEqual(['lease', 'lease'])
  })

  it('leaves the errors of its attempts to the next attempt, which finds the lease free', async () => {
    const { one, two } = bench()
    const hold = await one.take({ run: 'same' })
    await hold.release([{ attempt: 1, at: 7, error: 'down' }])
    expect((await two.take({ run: 'same', attempt: 2 })).attempts).toEqual([{ attempt: 1, at: 7, error: 'down' }])
  })

  it('is not disturbed by another who asks: busy, and for how long', async () => {
    const { clock, one, two } = bench()
    const hold = await one.take()
    await clock.pass(4_000)
    expect(await two.tryTake({ conn, run: 'r2', attempt: 1, stillWorking: async () => undefined })).toMatchObject({ right: { is: 'busy', ttlLeftMs: 26_000 } })
    expect(hold.isTrusted()).toBe(true)
    await hold.release([])
  })
})

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

describe('a lease that is gone', () => {
  const stolen = async () => {
    const rig = bench()
    const hold = await rig.one.take()
    const { revision } = await leaseOf(rig.state)
    await rig.state.dropLease(conn, revision)()
    const next = await rig.two.take({ attempt: 2 })
    return { ...rig, hold, next }
  }

  it('T47 T51 to another worker: the checkpoint is refused, the run is fenced and leaves the new lease alone', async () => {
    const { state, one, hold, next } = await stolen()
    expect(await hold.saveCheckpoint(flow, checkpoint('zombie'))).toMatchObject(fenced)
    expect(hold.lost.aborted).toBe(true)
    expect(hold.isTrusted()).toBe(false)
    const before = state.log.length
    expect(await hold.saveBatch(flow, [page('zombie')], checkpoint('zombie'), 0)).toMatchObject(fenced)
    await hold.release([{ attempt: 1, at: 0, error: 'x' }])
    expect(state.log).toHaveLength(before)
    expect((await leaseOf(state)).revision).toBe(next.fence)
    expect(one.lost()).toBe(1)
    await next.release([])
  })

  it('T51 to another worker: the batch is refused and nothing of it is visible', async () => {
    const { state, hold, next } = await stolen()
    expect(await hold.saveBatch(flow, [page('zombie')], checkpoint('zombie'), 0)).toMatchObject(fenced)
    expect(await cursorOf(state)).toBeUndefined()
    await next.release([])
  })

  it('to another worker: the release leaves the new lease alone', async () => {
    const { state, hold, next } = await stolen()
    await hold.release([])
    expect((await leaseOf(state)).revision).toBe(next.fence)
    await next.release([])
  })

  it('to nobody, because it lapsed: the run is fenced as well', async () => {
    const { state, one, clock } = bench()
    const hold = await one.take()
    state.mischief.down = true
    await clock.pass(24_000)
    state.mischief.down = false
    state.advance(7_000)
    await clock.pass(500)
    expect([hold.lost.aborted, one.lost()]).toEqual([true, 1])
    expect(await hold.saveCheckpoint(flow, checkpoint('a'))).toMatchObject(fenced)
    await hold.release([])
  })
})

describe('trust', () => {
  it('T52 of a renewal that took 20 s counts from when it was sent', async () => {
    let slow = 0
    const clock: { at?: ReturnType<typeof manualClock> } = {}
    const rig = bench((inner) => ({
      ...inner,
      writeLease: (...args) => async () => {
        const written = await inner.writeLease(...args)()
        if (slow > 0) await clock.at?.sleep(slow)
        return written
      },
    }))
    clock.at = rig.clock
    const hold = await rig.one.take()
    slow = 14_000
    // Sent at 10 s, answered at 24 s: trusted until 10 + 25.
    await rig.clock.pass(24_500)
    slow = 60_000
    expect(hold.isTrusted()).toBe(true)
    await rig.clock.pass(10_400)
    expect(hold.isTrusted()).toBe(true)
    await rig.clock.pass(200)
    expect(hold.isTrusted()).toBe(false)
    expect(hold.lost.aborted).toBe(true)
    await rig.clock.pass(60_000)
  })

  it('T53 is used up while the store does not answer: the run is told before the lease can lapse, once, and writes no more', async () => {
    const { state, clock, one } = bench()
    const hold = await one.take()
    state.mischief.down = true
    await clock.pass(24_900)
    expect(hold.lost.aborted).toBe(false)
    await clock.pass(200)
    expect([hold.lost.aborted, hold.isTrusted(), one.lost()]).toEqual([true, false, 1])
    state.mischief.down = false
    const before = state.log.length
    expect(await hold.saveCheckpoint(flow, checkpoint('late'))).toMatchObject(fenced)
    await hold.release([])
    expect([state.log.length, one.lost()]).toEqual([before, 1])
  })

  it('T53 is used up while a call to the store hangs for ever', async () => {
    let hang = false
    const { clock, one } = bench((inner) => ({ ...inner, writeLease: (...args) => () => (hang ? new Promise(() => undefined) : inner.writeLease(...args)()) }))
    const hold = await one.take()
    hang = true
    await clock.pass(25_100)
    expect([hold.lost.aborted, one.lost()]).toEqual([true, 1])
  })

  it('T51 is used up while the process slept: the first thing it does is to find out', async () => {
    const { state, clock, one, two } = bench()
    const hold = await one.take()
    // Nothing of the first worker runs while it is stopped; the server's time goes on.
    state.advance(31_000)
    const next = await two.take({ attempt: 2 })
    const before = state.log.length
    await clock.pass(31_000)
    expect([hold.lost.aborted, hold.isTrusted()]).toEqual([true, false])
    expect(state.log.slice(before).filter(({ key }) => !key.startsWith('lease'))).toEqual([])
    expect(next.isTrusted()).toBe(true)
    await next.release([])
  })
})

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
