/** The hold on a real server: restored from a copy, gone and back, short of batches (SYNC.md §E.3). */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { leaseTimesOf } from '../../../services/sync-worker/lease.ts'
import { natsState } from '../../../services/sync-worker/nats-state.ts'
import type { StateStore } from '../../../services/sync-worker/ports.ts'
import { checkpoint, cursorOf, flow, leaseOf, manualClock, page, worker } from '../../support/hold-rig.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import { until } from '../../support/processes.ts'
import { provisionState } from '../../support/state-rig.ts'

const stateOn = (bus: Bus): StateStore => natsState(bus, Date.now)
const fenced = { left: { is: 'fenced' } }

describe('T52f a server whose store was restored from an older copy', () => {
  it('gives the same revision to another: the first finds out after its reconnect, writes nothing and leaves the lease alone', async () => {
    const server = await startTestServer()
    const buses: Array<Bus> = []
    const connected = async (): Promise<Bus> => {
      const bus = await connectTo(server)
      buses.push(bus)
      return bus
    }
    const copy = await mkdtemp(join(tmpdir(), 'syncline-copy-'))
    try {
      await provisionState(await connected(), 1)
      await server.kill()
      await cp(join(server.dir, 'jetstream'), copy, { recursive: true })
      await server.restart()

      const bus = await connected()
      const hold = await worker('one', stateOn(bus), systemClock).take()
      await server.kill()
      await rm(join(server.dir, 'jetstream'), { recursive: true })
      await cp(copy, join(server.dir, 'jetstream'), { recursive: true })
      await server.restart()
      const state = stateOn(await connected())
      const next = await worker('two', state, systemClock).take()
      expect(next.fence).toBe(hold.fence)

      await until('the first is back', () => bus.isConnected())
      expect(await hold.saveCheckpoint(flow, checkpoint('zombie'))).toMatchObject(fenced)
      await hold.release([])
      expect(await cursorOf(state)).toBeUndefined()
      expect(await leaseOf(state)).toMatchObject({ entry: { owner: 'two' } })
      expect(await next.saveCheckpoint(flow, checkpoint('two'))).toMatchObject({ _tag: 'Right' })
      await next.release([])
    } finally {
      for (const bus of buses) await bus.close()
      await server.stop()
      await rm(copy, { recursive: true, force: true })
    }
  })
})

describe('a server that is killed while a lease is held', () => {
  it('and started again: the hold is confirmed, and its commits go on without a gap', async () => {
    const server = await startTestServer()
    const bus = await connectTo(server)
    try {
      await provisionState(bus, 1)
      const state = stateOn(bus)
      const hold = await worker('one', state, systemClock).take()
      expect(await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)).toEqual(E.right(hold.fence + 1))
      await server.kill()
      const saving = hold.saveBatch(flow, [page('b', hold.fence + 1)], checkpoint('b'), hold.fence + 2)
      await server.restart()
      expect(await saving).toMatchObject({ _tag: 'Right' })
      expect([await cursorOf(state), (await leaseOf(state)).entry?.n]).toEqual(['b', 2])
      await hold.release([])
      expect((await leaseOf(state)).entry).toBeNull()
    } finally {
      await bus.close()
      await server.stop()
    }
  })

  it('T53 and stays away: the run is told before its lease can lapse', async () => {
    const server = await startTestServer()
    const bus = await connectTo(server)
    try {
      await provisionState(bus, 1)
      const clock = manualClock()
      const one = worker('one', stateOn(bus), clock, leaseTimesOf(30_000))
      const hold = await one.take()
      await server.kill()
      await until('the connection is gone', () => !bus.isConnected())
      await clock.pass(24_900)
      expect(hold.lost.aborted).toBe(false)
      await clock.pass(100)
      expect(hold.lost.aborted).toBe(true)
      expect(await hold.saveCheckpoint(flow, checkpoint('late'))).toMatchObject(fenced)
      await hold.release([])
      expect(one.lost()).toBe(1)
    } finally {
      await bus.close()
      await server.stop()
    }
  })
})

describe('T52h a server that takes eight open batches at a time', () => {
  it('stores what 120 runs commit at once: a refusal is waited out, not failed by', async () => {
    const storeDir = await mkdtemp(join(tmpdir(), 'syncline-few-batches-'))
    const extra = `jetstream {\n  store_dir: ${JSON.stringify(storeDir)}\n  limits { batch { max_inflight_per_stream: 8, max_inflight_total: 8 } }\n}`
    const server = await startNatsServer({ host: '127.0.0.1', port: 0, storeDir, extra })()
    if (E.isLeft(server)) throw new Error(server.left.message)
    const bus = await connectTo([server.right.url])
    try {
      await provisionState(bus, 1)
      let refused = 0
      const plain = stateOn(bus)
      const state: StateStore = { ...plain, writeBatch: (batch) => async () => { const written = await plain.writeBatch(batch)(); refused += Number(E.isLeft(written)); return written } }
      const saved = await Promise.all(Array.from({ length: 120 }, async (_, i) => {
        const taken = await worker(`w${i}`, state, systemClock).tryTake({ conn: `c${i}` as ConnectionId, run: 'r', attempt: 1, stillWorking: async () => undefined })
        if (E.isLeft(taken) || taken.right.is === 'busy') throw new Error('no lease')
        const { hold } = taken.right
        const first = await hold.saveBatch(flow, [page('a')], checkpoint('a'), 0)
        await hold.release([])
        return first
      }))
      expect(saved.filter(E.isLeft)).toEqual([])
      expect(refused).toBeGreaterThan(0)
    } finally {
      await bus.close()
      await server.right.stop()
      await rm(storeDir, { recursive: true, force: true })
    }
  })
})
