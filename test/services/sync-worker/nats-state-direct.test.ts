/** The laws of the state store where checkpoints are read past the leader's API or remembered, and what happens when that cannot be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buckets } from '#libs/contracts/subjects.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { checkpoint, entry, flow, right, type StateRig } from '../../laws/state-law-rig.ts'
import { stateStoreLaws } from '../../laws/state-store.laws.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'
import { checkpointsOn, readDirectly, type Checkpoints } from '../../../services/sync-worker/nats-checkpoints.ts'
import { until } from '../../support/processes.ts'
import { natsStateRig, provisionState } from '../../support/state-rig.ts'

let server: TestServer
let bus: Bus
let rig: StateRig
let checkpoints: Checkpoints
let remembering: StateRig

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await provisionState(bus, 1)
  rig = natsStateRig(bus, { read: readDirectly(bus, () => true), isSole: () => true })
  checkpoints = checkpointsOn(bus, () => undefined)
  await until('it is known who has them', () => Promise.resolve(checkpoints.isSole()))
  remembering = natsStateRig(bus, checkpoints, 'm')
})
afterAll(async () => {
  checkpoints.stop()
  await bus.close()
  await server.stop()
})

describe('directly', () => stateStoreLaws(() => rig, { sideBySide: true }))
describe('remembered', () => stateStoreLaws(() => remembering, { sideBySide: true }))

describe('a checkpoint that may be read directly', () => {
  const api = `$JS.API.STREAM.MSG.GET.KV_${buckets.state}`
  const direct = `$JS.API.DIRECT.GET.KV_${buckets.state}.$KV.${buckets.state}.ckpt.`

  /** What was asked while `what` went on, by its kind, in order. */
  const asked = async (what: () => Promise<unknown>): Promise<ReadonlyArray<string>> => {
    const kinds: Array<string> = []
    const plain = bus.nc.publish.bind(bus.nc)
    bus.nc.publish = (subject, ...rest) => {
      kinds.push(subject === api ? 'leader' : subject.startsWith(direct) ? 'direct' : subject)
      plain(subject, ...rest)
    }
    await what()
    bus.nc.publish = plain
    return kinds
  }
  const stored = async (cursor: string) => {
    const { state, fresh } = rig
    const conn = fresh()
    const revision = await right(state.writeLease(conn, entry('one'), 0, 30))
    await right(state.writeCheckpoint(conn, flow, checkpoint(revision, cursor), revision))
    return conn
  }
  const cursorOf = async (conn: Parameters<StateRig['state']['readCheckpoint']>[0]) => (await right(rig.state.readCheckpoint(conn, flow)))?.value.cursorA

  it('is asked for once', async () => {
    const conn = await stored('there')
    expect(await asked(async () => expect(await cursorOf(conn)).toBe('there'))).toEqual(['direct'])
  })

  it('is asked of the leader too when there seems to be none: that may be a mirror’s answer', async () => {
    expect(await asked(async () => expect(await cursorOf(rig.fresh())).toBeUndefined())).toEqual(['direct', 'leader'])
  })

  it('is asked of the leader when direct reads were switched off a moment ago', async () => {
    const conn = await stored('still')
    await bus.jsm.streams.update(`KV_${buckets.state}`, { allow_direct: false })
    expect(await asked(async () => expect(await cursorOf(conn)).toBe('still'))).toEqual(['direct', 'leader'])
    await bus.jsm.streams.update(`KV_${buckets.state}`, { allow_direct: true })
  })

  it('is not asked for directly by who may not', async () => {
    const conn = await stored('slow')
    const careful = natsStateRig(bus)
    expect(await asked(() => right(careful.state.readCheckpoint(conn, flow)))).toEqual(['leader'])
  })
})
