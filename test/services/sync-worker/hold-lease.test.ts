/** A lease that is held, lost, and trusted no longer (SYNC.md §A.1.3, §E.3), on the store in memory. */
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { bench, checkpoint, conn, cursorOf, flow, leaseOf, manualClock, page, writesOf } from '../../support/hold-rig.ts'

const fenced = { left: { is: 'fenced' } }

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
