import { describe, expect, it } from 'vitest'
import { providerKey } from '#libs/contracts/provider-state.ts'
import { E } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { outcomeOf, type CallOutcome } from '../../../services/sync-worker/call-outcome.ts'
import { providerGate, type Account, type Gate } from '../../../services/sync-worker/provider-gate.ts'
import { memoryProviders } from '../../support/memory-providers.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const fitbit: Account = { provider: 'fitbit', account: 'user-1' }
const other: Account = { provider: 'fitbit', account: 'user-2' }
const go = new AbortController().signal

const rig = (workers = 1) => {
  const store = memoryProviders()
  const clock = virtualClock()
  const gates = Array.from({ length: workers }, (_, i) => providerGate({ store, clock, random: systemRandom, worker: `w${i}` }))
  return { store, clock, gates, gate: gates[0] as Gate }
}
const call = async (gate: Gate, outcome: CallOutcome, account = fitbit): Promise<boolean> => {
  const admission = await gate.admit(account)
  if (admission.is === 'go') await gate.report(admission.pass, outcome)
  return admission.is === 'go'
}
const failFive = async (gate: Gate): Promise<void> => {
  for (let i = 0; i < 5; i++) expect(await call(gate, { is: 'failed' })).toBe(true)
}

describe('an account nobody knows anything bad of', () => {
  it('costs no round trip, however often it is called', async () => {
    const { gate, store } = rig()
    const meter = gate.meter(fitbit, 'c1')
    for (let i = 0; i < 1_000; i++) {
      expect(await call(gate, { is: 'answered' })).toBe(true)
      expect(E.isRight(await meter.take(go)())).toBe(true)
    }
    expect(store.asked).toEqual({ reads: 0, writes: 0 })
  })

  it('leaves no entry behind once it is well again', async () => {
    const { gate, store } = rig()
    await call(gate, { is: 'failed' })
    expect(store.states.get(providerKey('fitbit', 'user-1'))?.state).toMatchObject({ breaker: { failures: 1 } })
    await call(gate, { is: 'answered' })
    expect(store.states.get(providerKey('fitbit', 'user-1'))?.state).toBeNull()
  })
})

describe('T61 the breaker of an account', () => {
  it('opens for all workers by failures of any of them', async () => {
    const { gates, clock } = rig(5)
    for (const gate of gates) {
      expect(await call(gate, { is: 'failed' })).toBe(true)
      await clock.pass(0)
    }
    for (const gate of gates) {
      expect(await call(gate, { is: 'answered' })).toBe(false)
      expect(await call(gate, { is: 'answered' }, other)).toBe(true)
    }
  })

  it('says until when, spread, and why', async () => {
    const { gate, clock } = rig()
    await failFive(gate)
    const admission = await gate.admit(fitbit)
    if (admission.is !== 'later' || admission.failure.is !== 'later') throw new Error('was let through')
    expect(admission.failure).toMatchObject({ code: 'breaker-open', message: expect.stringContaining('fitbit failed several times in a row') as unknown })
    expect(admission.failure.notBefore).toBeGreaterThanOrEqual(clock.now() + 30_000)
    expect(admission.failure.notBefore).toBeLessThanOrEqual(clock.now() + 33_001)
  })

  it('after the cool-down lets one of a hundred through; a failure opens it for longer, a success for all', async () => {
    const { gates, clock } = rig(4)
    await failFive(gates[0] as Gate)
    await clock.pass(30_000)
    const race = async () => {
      const all = Promise.all(Array.from({ length: 100 }, (_, i) => (gates[i % 4] as Gate).admit(fitbit)))
      await clock.pass(2_000)
      return (await all).flatMap((one, i) => (one.is === 'go' ? [{ gate: gates[i % 4] as Gate, pass: one.pass }] : []))
    }
    const first = await race()
    expect(first).toHaveLength(1)
    await first[0]?.gate.report(first[0].pass, { is: 'failed' })
    await clock.pass(59_000)
    expect(await race()).toHaveLength(0)
    await clock.pass(2_000)
    const second = await race()
    expect(second).toHaveLength(1)
    await second[0]?.gate.report(second[0].pass, { is: 'answered' })
    await clock.pass(0)
    expect(await race()).toHaveLength(100)
  })

  it('takes its own claim for its own when only the answer of the write was lost', async () => {
    const { gate, clock, store } = rig()
    await failFive(gate)
    await clock.pass(30_000)
    store.lost.answers = 1
    expect(await call(gate, { is: 'answered' })).toBe(true)
    expect(await call(gate, { is: 'answered' })).toBe(true)
  })

  it('lets the next one probe when the probe was cut short by ourselves', async () => {
    const { gate, clock } = rig()
    await failFive(gate)
    await clock.pass(30_000)
    expect(await call(gate, { is: 'unknown' })).toBe(true)
    expect(await call(gate, { is: 'answered' })).toBe(true)
  })

  it('lets nobody probe while nobody can be asked', async () => {
    const { gate, clock, store } = rig()
    await failFive(gate)
    await clock.pass(30_000)
    for (const trouble of [{ is: 'away' }, { is: 'broken', message: 'denied' }] as const) {
      store.trouble.now = trouble
      expect((await gate.admit(fitbit)).is).toBe('later')
    }
  })

  it.each(['bad-item', 'cursor-lost', 'cancelled', 'stopping', 'bug', 'fenced'] as const)('is never opened by %s', async (is) => {
    const { gate } = rig()
    for (let i = 0; i < 20; i++) expect(await call(gate, outcomeOf({ is, message: '' }))).toBe(true)
  })
})

describe('T58 an account that asked for silence', () => {
  it('is called by no worker before the time, twenty times over, and others are', async () => {
    const { gates, clock } = rig(3)
    let calls = 0
    for (let i = 0; i < 20; i++) {
      const until = clock.now() + 3_600_000
      expect(await call(gates[i % 3] as Gate, outcomeOf({ is: 'later', message: '429', notBefore: until }))).toBe(true)
      calls++
      await clock.pass(1)
      for (const gate of gates) {
        const refused = await gate.admit(fitbit)
        expect(refused.is === 'later' && refused.failure.is === 'later' && refused.failure.notBefore).toBeGreaterThanOrEqual(until)
        expect(E.isLeft(await gate.meter(fitbit, 'c1').take(go)())).toBe(true)
        expect(await call(gate, { is: 'answered' }, other)).toBe(true)
      }
      await clock.pass(3_600_000)
    }
    expect(calls).toBe(20)
  })

  it('was heard by headers too', async () => {
    const { gates, clock } = rig(2)
    const [first, second] = gates.map((gate) => gate.meter(fitbit, 'c1'))
    first?.heard({ limit: 150, remaining: 0, resetInMs: 1_800_000 })
    await clock.pass(10)
    const refused = await second?.take(go)()
    expect(refused).toMatchObject({ left: { is: 'later', code: 'rate-limit' } })
  })
})

describe('a limited account', () => {
  const limited = async (workers: number) => {
    const all = rig(workers)
    all.gate.meter(fitbit, 'c1').heard({ limit: 10, windowMs: 1_000 })
    await all.clock.pass(10)
    return all
  }

  it('serves its connections in turn: a backfill does not keep the others waiting', async () => {
    const { gate, clock } = await limited(1)
    const served: Array<string> = []
    const ask = (conn: string, times: number) => Array.from({ length: times }, async () => {
      if (E.isRight(await gate.meter(fitbit, conn).take(go)())) served.push(conn)
    })
    const asking = [...ask('backfill', 30), ...ask('b', 3), ...ask('c', 3)]
    await clock.pass(1_500)
    expect(served.slice(0, 9).toSorted()).toEqual(['b', 'b', 'b', 'backfill', 'backfill', 'backfill', 'c', 'c', 'c'])
    await clock.pass(10_000)
    await Promise.all(asking)
    expect(served.length).toBeGreaterThan(36 - 1)
  })

  it('is put off when a call would wait for more than five seconds', async () => {
    const { gate, clock } = await limited(1)
    const turns = Promise.all(Array.from({ length: 200 }, () => gate.meter(fitbit, 'c1').take(go)()))
    await clock.pass(30_000)
    const later = (await turns).filter(E.isLeft)
    expect(later.length).toBeGreaterThan(140)
    expect(later[0]).toMatchObject({ left: { is: 'later', code: 'rate-limit' } })
  })

  it('is shared by equal parts while NATS is away, and not called at all when the budget cannot be asked otherwise', async () => {
    const { gates, clock, store } = await limited(2)
    const taken = async (forMs: number): Promise<number> => {
      let calls = 0
      const until = clock.now() + forMs
      const greedy = gates.map(async (gate, i) => {
        while (clock.now() < until && E.isRight(await gate.meter(fitbit, `c${i}`).take(go)())) calls++
      })
      await clock.pass(forMs + 6_000)
      await Promise.all(greedy)
      return calls
    }
    expect(await taken(2_000)).toBeLessThanOrEqual(22)
    store.trouble.now = { is: 'away' }
    const alone = await taken(4_000)
    expect(alone).toBeGreaterThan(20)
    expect(alone).toBeLessThanOrEqual(42)
    store.trouble.now = { is: 'broken', message: 'denied' }
    expect(await taken(2_000)).toBe(0)
  })

  it('lets go of who gives up waiting, and of all when the worker stops', async () => {
    const { gate, clock } = await limited(1)
    const stop = new AbortController()
    const given = gate.meter(fitbit, 'c1').take(stop.signal)()
    const others = Array.from({ length: 20 }, () => gate.meter(fitbit, 'c2').take(go)())
    stop.abort()
    expect(E.isLeft(await given)).toBe(true)
    await clock.pass(100)
    await gate.stop()
    expect((await Promise.all(others)).some(E.isLeft)).toBe(true)
  })
})
