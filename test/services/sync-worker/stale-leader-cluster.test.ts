/**
 * T52e: the server that leads the state stream stands still (SIGSTOP), another one leads and takes writes, the first comes
 * back (SIGCONT) and for a moment believes that it still leads. What it says then is old, and nothing can be built on it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { leaseTimesOf } from '../../../services/sync-worker/lease.ts'
import { natsState } from '../../../services/sync-worker/nats-state.ts'
import type { StateStore } from '../../../services/sync-worker/ports.ts'
import { checkpoint, flow, page, worker } from '../../support/hold-rig.ts'
import { connectTo, startTestCluster, type TestServer } from '../../support/nats-server.ts'
import { until } from '../../support/processes.ts'
import { provisionState } from '../../support/state-rig.ts'

const stream = `KV_${buckets.state}`

let cluster: Awaited<ReturnType<typeof startTestCluster>>
const buses: Array<Bus> = []
beforeAll(async () => {
  cluster = await startTestCluster()
  const bus = await connectTo(cluster.urls)
  buses.push(bus)
  await provisionState(bus, 3)
})
afterAll(async () => {
  for (const server of cluster.servers) server.thaw()
  for (const bus of buses) await bus.close()
  await cluster.stop()
})

const leaderOf = async (bus: Bus): Promise<string | undefined> => (await bus.jsm.streams.info(stream).catch(() => undefined))?.cluster?.leader
const connected = async (server: TestServer): Promise<Bus> => {
  const bus = await connectTo(server)
  buses.push(bus)
  return bus
}

it('T52e a commit built on what it says is refused; read again, it lands', async () => {
  const name = await leaderOf(buses[0] as Bus)
  const at = Number(name?.slice(1))
  const [old, other] = [cluster.servers[at], cluster.servers[(at + 1) % 3]]
  if (old === undefined || other === undefined) throw new Error(`no server is called ${name}`)
  const [oldState, newState] = [natsState(await connected(old), Date.now), natsState(await connected(other), Date.now)]
  // A worker that will hear the old leader, while what it says reaches the new one.
  let heard = newState
  const state: StateStore = { ...newState, readLease: (...one) => heard.readLease(...one), readCheckpoint: (...one) => heard.readCheckpoint(...one), readPages: (...some) => heard.readPages(...some) }
  const conn = 'c1' as ConnectionId
  const look = async () => {
    const [pages, stored] = [await state.readPages(conn, flow, [0])(), await state.readCheckpoint(conn, flow)()]
    return E.isLeft(pages) || E.isLeft(stored) ? undefined : { page: pages.right.get(0)?.revision ?? 0, checkpoint: stored.right?.revision ?? 0, cursor: stored.right?.value.cursorA }
  }
  const hold = await worker('one', state, systemClock, leaseTimesOf(120_000)).take()
  expect(await hold.saveBatch(flow, [page('old')], checkpoint('old'), 0)).toMatchObject({ _tag: 'Right' })
  const before = await look()
  if (before === undefined) throw new Error('nothing is stored')

  old.freeze()
  await until('another one leads', async () => {
    const leader = await leaderOf(buses[2] as Bus)
    return leader !== undefined && leader !== '' && leader !== name
  })
  await until('it takes writes', async () => E.isRight(await hold.saveBatch(flow, [page('new', before.page)], checkpoint('new'), before.checkpoint)))

  heard = oldState
  old.thaw()
  // What it knew when it stood still, whether or not it says so now.
  expect(await hold.saveBatch(flow, [page('zombie', before.page)], checkpoint('zombie'), before.checkpoint)).toMatchObject({ _tag: 'Left' })
  let landed = false
  await until('a commit lands', async () => {
    for (let looks = 0; looks < 50 && !landed; looks++) {
      const seen = await look()
      if (seen === undefined) continue
      const saved = await hold.saveBatch(flow, [page('again', seen.page)], checkpoint('again'), seen.checkpoint)
      if (seen.cursor === 'old') expect(saved).toMatchObject({ _tag: 'Left' })
      landed = E.isRight(saved)
    }
    return landed
  })
  expect(hold.lost.aborted).toBe(false)
  expect(await newState.readCheckpoint(conn, flow)()).toMatchObject({ right: { value: { cursorA: 'again' } } })
  await hold.release([])
})
