/** The laws of the state store on a real server. */
import { afterAll, beforeAll } from 'vitest'
import type { Bus } from '#libs/nats/connect.ts'
import type { StateRig } from '../../laws/state-law-rig.ts'
import { stateStoreLaws } from '../../laws/state-store.laws.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'
import { natsStateRig, provisionState } from '../../support/state-rig.ts'

let server: TestServer
let bus: Bus
let rig: StateRig

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await provisionState(bus, 1)
  rig = natsStateRig(bus)
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

stateStoreLaws(() => rig, { sideBySide: true })
