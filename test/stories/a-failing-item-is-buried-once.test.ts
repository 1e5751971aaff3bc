/**
 * T56: whoever fails for good is tried as often as allowed, leaves one dead letter and an empty queue; also when the workers
 * died over it and nobody listened to the server's advisory. The sweeper, all the while on its rounds, adds nothing.
 */
import { afterEach, expect, it } from 'vitest'
import { systemClock, type Clock } from '#libs/clock.ts'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decode } from '#libs/contracts/decode.ts'
import { durables, streams, subjects } from '#libs/contracts/subjects.ts'
import { defaultMaxAttempts } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { consume } from '#libs/nats/consume.ts'
import { listMessages } from '#libs/nats/stream-messages.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import * as tracker from '../../services/tracker/start.ts'
import { connectTo } from '../support/nats-server.ts'
import { startHouse, type House } from '../support/house.ts'
import { until } from '../support/processes.ts'
import { onceInACentury } from '../support/schedules.ts'

const sweepEveryMs = 1_003
let sweeps = 0
/** Counts the rounds of the sweeper: no other timer of the tracker has this length. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    if (ms === sweepEveryMs) sweeps++
    return systemClock.sleep(ms, signal)
  },
}

const ends: Array<() => Promise<void>> = []
const opened = async (workers: number): Promise<House> => {
  const house = await startHouse({ without: ['tracker'], workers })
  ends.push(house.stop)
  return house
}
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const startTracker = async (house: House): Promise<void> => {
  const env = readEnv({ TRACKER_HTTP_PORT: '0', TRACKER_SWEEP_EVERY_MS: String(sweepEveryMs), TRACKER_SILENT_MS: '1000' })
  const bus = await connectTo(house.server)
  const service = await tracker.start(tracker.service.configOf(env), { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock, random: systemRandom })
  ends.push(async () => {
    await service.stop()
    await bus.close()
  })
}
const applied = (house: House, id: string, schedule: unknown) => {
  house.store(`${id}-b`)
  const store = house.store(`${id}-a`)
  store.put({ key: 'k', fields: { FN: 'x' } })
  const flow = { id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: `${id}-a` }, destination: { provider: 'memory', store: `${id}-b` } }
  return { store, connection: { id, schedule, maxAttempts: 2, flows: [flow] } }
}
const queued = async (house: House): Promise<number> => (await house.bus.jsm.streams.info(streams.work)).state.messages
const letters = async (house: House, id: string): Promise<ReadonlyArray<DeadLetter>> => {
  const listed = await listMessages(house.bus)(streams.dead, { filterSubject: subjects.dead(id), limit: 10 })()
  if (E.isLeft(listed)) throw new Error(JSON.stringify(listed.left))
  return listed.right.map(({ body }) => {
    const letter = decode(DeadLetter, body)
    if (E.isLeft(letter)) throw new Error(letter.left.report.join('; '))
    return letter.right
  })
}
const rounds = async (n: number): Promise<void> => {
  const last = sweeps + n
  await until(`${n} rounds of the sweeper`, () => sweeps >= last)
}

it('T56 tries exactly as often as allowed; one letter; the queue is free; no round of the sweeper adds to it', async () => {
  const house = await opened(1)
  const { store, connection } = applied(house, 'fails', { kind: 'manual' })
  store.mischief.failReads = 1_000
  await house.apply(connection)
  await house.request('fails')
  await house.result(({ outcome }) => outcome === 'dead')
  await until('the queue is free', async () => (await queued(house)) === 0)
  // The tracker was not there while it happened; what it finds now is done already.
  await startTracker(house)
  await rounds(3)
  const kept = await letters(house, 'fails')
  expect(kept).toHaveLength(1)
  expect(kept[0]).toMatchObject({ writtenBy: 'worker', attempts: [{ attempt: 1 }, { attempt: 2 }] })
  expect(house.results).toHaveLength(1)
})

it('T56 when the workers died over it while no tracker listened: the letter comes later, once, and the connection runs again', async () => {
  const house = await opened(0)
  await house.apply(applied(house, 'dies', onceInACentury).connection)
  let deliveries = 0
  // Workers that die over it: each takes it and never finishes.
  const dying = consume(house.bus, { stream: streams.work, consumer: durables.work('hot'), concurrency: 1, handle: async () => (deliveries++, { is: 'again', delayMs: 1 }), onError: () => undefined })
  await until('the last delivery, and its advisory', async () => (await house.bus.jsm.streams.info(streams.advisories)).state.messages >= 1)
  await dying.stop()
  expect([deliveries, await queued(house), (await letters(house, 'dies')).length]).toEqual([defaultMaxAttempts, 1, 0])

  await startTracker(house)
  await until('the letter', async () => (await letters(house, 'dies')).length === 1)
  await until('the queue is free', async () => (await queued(house)) === 0)
  await rounds(2)
  expect(await letters(house, 'dies')).toMatchObject([{ writtenBy: 'tracker' }])
  expect(house.results.map(({ outcome }) => outcome)).toEqual(['dead'])

  await house.addWorker()
  await house.request('dies')
  expect(await house.result(({ cause }) => cause === 'manual')).toMatchObject({ outcome: 'succeeded', attempt: 1 })
})
