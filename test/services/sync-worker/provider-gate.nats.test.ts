/** T61 and T62 with four workers on a real server: each has its own connection, watch and clock reading. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '#libs/clock.ts'
import { bucketDefs } from '#libs/contracts/streams.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { systemRandom } from '#libs/random.ts'
import { makeLog } from '#libs/telemetry/log.ts'
import { natsProviders } from '../../../services/sync-worker/nats-providers.ts'
import { providerGate, type Account, type Gate, type Pass } from '../../../services/sync-worker/provider-gate.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'
import { limitedTo, startSandboxHttp } from '../../support/sandbox-http.ts'
import { virtualClock } from '../../support/virtual-clock.ts'
import { right, until } from '../../libs/nats/right.ts'

let server: TestServer
let buses: ReadonlyArray<Bus> = []
const open: Array<Gate> = []
/** Added to the wall clock of every gate: no test waits for a cool-down. */
let ahead = 0
const clock: Clock = { ...systemClock, now: () => Date.now() + ahead }
const lines: Array<string> = []
const log = makeLog({ service: 'test', level: 'warn', format: 'json', write: (line) => void lines.push(line) })

beforeAll(async () => {
  server = await startTestServer()
  buses = await Promise.all(Array.from({ length: 4 }, () => connectTo(server)))
  const [bus] = buses
  if (bus !== undefined) await right(provision(bus)({ streams: [], buckets: bucketDefs.filter(({ name }) => name === buckets.providers), consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await Promise.all(open.map((gate) => gate.stop()))
  await Promise.all(buses.map((bus) => bus.close()))
  await server.stop()
})

const gateOn = async (bus: Bus, worker: string): Promise<Gate> => {
  const gate = providerGate({ store: natsProviders(bus, log), clock, random: systemRandom, worker })
  open.push(gate)
  await gate.ready
  return gate
}
const fourGates = () => Promise.all(buses.map((bus, i) => gateOn(bus, `w${i}`)))
const go = new AbortController().signal
const everywhere = (gates: ReadonlyArray<Gate>, account: Account, is: 'go' | 'later') =>
  until(async () => (await Promise.all(gates.map((gate) => gate.admit(account)))).every((one) => one.is === is))

describe('T61 the breaker of an account, over four workers', () => {
  const account: Account = { provider: 'dexcom', account: 'app' }
  const race = async (gates: ReadonlyArray<Gate>): Promise<ReadonlyArray<{ gate: Gate; pass: Pass }>> => {
    const asked = Array.from({ length: 100 }, (_, i) => gates[i % 4] as Gate)
    const admissions = await Promise.all(asked.map((gate) => gate.admit(account)))
    return admissions.flatMap((one, i) => (one.is === 'go' ? [{ gate: asked[i] as Gate, pass: one.pass }] : []))
  }

  it('five 503 in a row open it; a hundred after the cool-down are one probe; it opens for longer, then closes', async () => {
    const gates = await fourGates()
    let calls = 0
    for (let i = 0; i < 5; i++) {
      const gate = gates[i % 4] as Gate
      const admission = await gate.admit(account)
      if (admission.is !== 'go') throw new Error('opened too early')
      calls++
      await gate.report(admission.pass, { is: 'failed' })
    }
    expect(calls).toBe(5)
    await everywhere(gates, account, 'later')
    expect(await race(gates)).toHaveLength(0)

    ahead += 30_000
    const probes = await race(gates)
    expect(probes).toHaveLength(1)
    await probes[0]?.gate.report(probes[0].pass, { is: 'failed' })
    ahead += 31_000
    await until(async () => (await race(gates)).length === 0)
    ahead += 30_000
    const again = await race(gates)
    expect(again).toHaveLength(1)
    await again[0]?.gate.report(again[0].pass, { is: 'answered' })
    await everywhere(gates, account, 'go')
    expect(await race(gates)).toHaveLength(100)
    expect(await right(openBucket(buses[0] as Bus)(buckets.providers).keys())).toEqual([])
  })

  it('a worker that starts later knows it from the start', async () => {
    const [first] = await fourGates()
    for (let i = 0; i < 5; i++) await first?.report({ key: 'x.y', provider: 'x' }, { is: 'failed' })
    const slow: Account = { provider: 'slow', account: 'a' }
    for (let i = 0; i < 5; i++) {
      const admission = await first?.admit(slow)
      if (admission?.is === 'go') await first?.report(admission.pass, { is: 'failed' })
    }
    expect((await (await gateOn(buses[1] as Bus, 'late')).admit(slow)).is).toBe('later')
  })
})

describe('T62 a limited account, over four workers', () => {
  it('10 calls a second, for a minute: never more than that in any second, never a 429, little of it unused; one worker dying changes nothing', async () => {
    // Time stands still while a call is under way: what is counted is who was let through when, not how fast this machine is.
    let underWay = 0
    const during = <A>(effect: () => Promise<A>) => async (): Promise<A> => {
      underWay++
      return effect().finally(() => underWay--)
    }
    const time = virtualClock(undefined, () => underWay > 0)
    const provider = await startSandboxHttp(time.now)
    provider.behave(limitedTo(10, 1_000))
    const gates = await Promise.all(buses.map(async (bus, i) => {
      const store = natsProviders(bus, log)
      const gate = providerGate({ store: { ...store, read: (key) => during(store.read(key)), write: (...how) => during(store.write(...how)) }, clock: time, random: systemRandom, worker: `w${i}` })
      open.push(gate)
      await gate.ready
      return gate
    }))
    const account: Account = { provider: 'rest:limited', account: 'a' }
    for (const gate of gates) gate.meter(account, 'c0').heard({ limit: 10, windowMs: 1_000 }) // as a manifest documents it
    const startedAt = time.now()
    const statuses: Array<number> = []
    const work = gates.flatMap((gate, w) => Array.from({ length: 5 }, async (_, c) => {
      while (time.now() < startedAt + 60_000 && E.isRight(await gate.meter(account, `c${w}-${c}`).take(go)())) {
        statuses.push((await during(() => fetch(provider.url, { headers: { authorization: 'a' } }))()).status)
      }
    }))
    await time.pass(30_000)
    await gates[3]?.stop()
    await time.pass(35_000)
    await Promise.all(work)
    await provider.stop()
    expect(statuses.filter((status) => status === 429)).toEqual([])
    expect(provider.requests.length).toBeLessThanOrEqual(610)
    expect(provider.requests.length).toBeGreaterThan(0.75 * 600)
    const gaps = provider.requests.map(({ at }, n) => at - (provider.requests[n - 1]?.at ?? startedAt))
    expect(Math.max(...gaps)).toBeLessThan(15_000)
  })

  it('a 429 heard by one worker stops the account at all of them, and no other account', async () => {
    const gates = await fourGates()
    const [noisy, quiet]: [Account, Account] = [{ provider: 'fitbit', account: 'noisy' }, { provider: 'fitbit', account: 'quiet' }]
    const admission = await gates[2]?.admit(noisy)
    if (admission?.is !== 'go') throw new Error('not let through')
    await gates[2]?.report(admission.pass, { is: 'paused', notBefore: clock.now() + 3_600_000 })
    await everywhere(gates, noisy, 'later')
    await everywhere(gates, quiet, 'go')
  })
})

describe('a bucket with something in it that nobody can read', () => {
  it('is said, and the account goes on as one nobody knows anything of', async () => {
    const [bus] = buses
    if (bus === undefined) throw new Error('no bus')
    await right(openBucket(bus)(buckets.providers).put('odd.account', new TextEncoder().encode('not JSON')))
    await gateOn(bus, 'w9')
    expect(lines.some((line) => line.includes('message.bad'))).toBe(true)
  })
})
