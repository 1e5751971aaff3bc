/** Three replicas show what one hides: two writes in flight, answers of a leader that is none any more (NATS.md §3.2). */
import { afterAll, beforeAll } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import type { StateRig } from '../../laws/state-law-rig.ts'
import { stateStoreLaws } from '../../laws/state-store.laws.ts'
import { connectTo, startTestCluster } from '../../support/nats-server.ts'
import { natsStateRig, provisionState } from '../../support/state-rig.ts'

let cluster: Awaited<ReturnType<typeof startTestCluster>>
let bus: Bus
let rig: StateRig

beforeAll(async () => {
  cluster = await startTestCluster()
  bus = await connectTo(cluster.urls)
  await provisionState(bus, 3)
  rig = natsStateRig(bus)
})
afterAll(async () => {
  await bus.close()
  await cluster.stop()
})

stateStoreLaws(() => rig, { sideBySide: true })
