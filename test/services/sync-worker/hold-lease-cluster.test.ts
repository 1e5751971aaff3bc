/** The hold on three servers, where two writes in flight would be told apart (NATS.md §3.2). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { natsState } from '../../../services/sync-worker/nats-state.ts'
import type { StateStore, StoreFailure } from '../../../services/sync-worker/ports.ts'
import { checkpoint, cursorOf, flow, page, worker } from '../../support/hold-rig.ts'
import { connectTo, startTestCluster } from '../../support/nats-server.ts'
import { provisionState } from '../../support/state-rig.ts'

describe('three servers', () => {
  let cluster: Awaited<ReturnType<typeof startTestCluster>>
  let bus: Bus
  beforeAll(async () => {
    cluster = await startTestCluster()
    bus = await connectTo(cluster.urls)
    await provisionState(bus, 3)
  })
  afterAll(async () => {
    await bus.close()
    await cluster.stop()
  })

  it('T52d never refuse one of our own writes, though renewals come with every commit', async () => {
    const refusals: Array<StoreFailure> = []
    const plain = natsState(bus, Date.now)
    const heard = <A>(effect: () => Promise<E.Either<StoreFailure, A>>) => async () => {
      const answer = await effect()
      if (E.isLeft(answer)) refusals.push(answer.left)
      return answer
    }
    const state: StateStore = {
      ...plain,
      writeLease: (...args) => heard(plain.writeLease(...args)),
      writeCheckpoint: (...args) => heard(plain.writeCheckpoint(...args)),
      writeBatch: (batch) => heard(plain.writeBatch(batch)),
      dropLease: (...args) => heard(plain.dropLease(...args)),
    }
    const hold = await worker('one', state, systemClock, { ttlMs: 30_000, renewEveryMs: 1, marginMs: 5_000 }).take()
    const saves = Array.from({ length: 200 }, (_, i) => hold.saveCheckpoint(flow, checkpoint(`${i}`)))
    const last = (await Promise.all(saves)).at(-1)
    if (last === undefined || E.isLeft(last)) throw new Error('not saved')
    let at = last.right
    for (let i = 0; i < 50; i++) {
      const saved = await hold.saveBatch(flow, [page(`${i}`, 0, i)], checkpoint(`b${i}`), at)
      if (E.isLeft(saved)) throw new Error(JSON.stringify(saved.left))
      at = saved.right + 1
    }
    await hold.release([])
    expect(refusals.filter(({ is }) => is === 'refused')).toEqual([])
    expect(await cursorOf(state)).toBe('b49')
  })
})
