import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Connector, OpenAsk, Side } from '#libs/connectors/connector.ts'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { unavailable, type SyncFailure } from '#libs/domain/failure.ts'
import { E, TE } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import type { Call } from '#libs/resilience/call.ts'
import { failureOf } from '#libs/resilience/failure-of.ts'
import { httpFailure } from '#libs/resilience/http-failure.ts'
import { openSides } from '../../../services/sync-worker/open-sides.ts'
import { providerGate } from '../../../services/sync-worker/provider-gate.ts'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'
import { memoryProviders } from '../../support/memory-providers.ts'
import { startSandboxHttp, type SandboxHttp } from '../../support/sandbox-http.ts'
import { virtualClock, type VirtualClock } from '../../support/virtual-clock.ts'

const hour = 3_600_000
const listing: Call = { method: 'GET', idempotent: true, sent: true, subject: 'list' }

let sandbox: SandboxHttp
let rig: EngineRig
let clock: VirtualClock
let sides: ReturnType<typeof openSides>
/** What opening does instead, and how often it was asked to. */
let opening: ((ask: OpenAsk) => SyncFailure | undefined) | undefined
let opened = 0
/** Times of the requests as the workers' clock shows them. */
let calledAt: Array<number> = []

beforeAll(async () => {
  sandbox = await startSandboxHttp()
})
afterAll(() => sandbox.stop())

/** Sides in memory behind a provider on HTTP: reading one asks there first. */
const connector: Connector = {
  provider: 'memory',
  validate: () => [],
  account: ({ options }) => options['account'] as string | undefined,
  open: (ask) => async () => {
    opened++
    const failure = opening?.(ask)
    if (failure !== undefined) return E.left(failure)
    const side = memorySide(ask.options['store'] === 'a' ? rig.a : rig.b, {})
    return E.right(ask.role === 'source' ? overHttp(side, String(ask.options['account'])) : side)
  },
}

const overHttp = (side: Side, account: string): Side => ({
  ...side,
  read: (ask) => async () => {
    calledAt.push(clock.now())
    const { status, headers } = await fetch(sandbox.url, { headers: { authorization: account } })
    const treatment = httpFailure({ status, headers: Object.fromEntries(headers) }, listing, clock.now())
    const failure = failureOf(treatment, { message: `sandbox answered ${status}`, code: String(status) }, clock.now(), systemRandom.next())
    return failure === undefined ? side.read(ask)() : E.left(failure)
  },
})

beforeEach(() => {
  rig = engineRig()
  clock = virtualClock()
  sides = openSides(new Map([['memory', connector]]), () => undefined, clock, providerGate({ store: memoryProviders(), clock, random: systemRandom, worker: 'w' }))
  opening = undefined
  opened = 0
  calledAt = []
  sandbox.behave()
})

const play = async (account: string | undefined, attempt = 1) => {
  rig.options.flow = { source: { provider: 'memory', store: 'a', ...(account === undefined ? {} : { account }) } }
  const ports = { ...rig.ports, openSide: sides.openSide, clock: { ...rig.ports.clock, now: clock.now, monotonic: clock.now } }
  return (await rig.play({}, { ports, attempt })).judgement
}

describe('T58 a provider that answers 429 with Retry-After: 3600, twenty times in a row', () => {
  it('is not called before the time, costs no attempt, never ends as a dead letter, and keeps no other account waiting', async () => {
    sandbox.behave(({ account }) => (account === 'noisy' ? { status: 429, headers: { 'retry-after': '3600' } } : undefined))
    for (let i = 0; i < 20; i++) {
      const calls = calledAt.length
      const judgement = await play('noisy', 5)
      if (judgement.is !== 'defer') throw new Error(`it was judged ${judgement.is}`)
      expect(calledAt).toHaveLength(calls + 1)
      const waitMs = judgement.notBefore - clock.now()
      expect(waitMs).toBeGreaterThanOrEqual(hour)
      expect(waitMs).toBeLessThanOrEqual(1.1 * hour + 1)

      await clock.pass(waitMs / 2)
      expect((await play('noisy', 5)).is).toBe('defer') // by hand, in between
      expect(calledAt).toHaveLength(calls + 1)
      expect(await play('quiet')).toMatchObject({ is: 'settled', outcome: 'succeeded' })
      expect(calledAt.splice(-1)).toHaveLength(1)
      await clock.pass(waitMs / 2)
    }
    for (const [i, at] of calledAt.entries()) if (i > 0) expect(at - (calledAt[i - 1] ?? 0)).toBeGreaterThanOrEqual(hour)
    sandbox.behave()
    await clock.pass(hour)
    expect(await play('noisy')).toMatchObject({ is: 'settled', outcome: 'succeeded' })
  })
})

describe('T61 a provider that answers 503', () => {
  it('is called five times and then left alone; every run after that is put off and costs no attempt', async () => {
    sandbox.behave(() => ({ status: 503 }))
    for (let i = 0; i < 5; i++) expect((await play('down', 1)).is).toBe('retry')
    for (let i = 0; i < 20; i++) expect(await play('down', 5)).toMatchObject({ is: 'defer', error: { code: 'breaker-open', side: 'source' } })
    expect(calledAt).toHaveLength(5)
    await clock.pass(31_000)
    sandbox.behave()
    expect(await play('down')).toMatchObject({ is: 'settled', outcome: 'succeeded' })
  })

  it.each([404, 412, 403, 401])('is another thing than one that answers %i, which is called every time', async (status) => {
    sandbox.behave(() => ({ status }))
    for (let i = 0; i < 12; i++) await play('picky')
    expect(calledAt).toHaveLength(12)
  })
})

describe('a side that cannot be opened', () => {
  it('opens the breaker of its account before anything is known of the side', async () => {
    opening = ({ role }) => (role === 'source' ? unavailable('nobody there') : undefined)
    for (let i = 0; i < 8; i++) await play('gone')
    expect(opened).toBe(5)
  })

  it('is asked every time when it is local', async () => {
    opening = () => unavailable('no such folder')
    for (let i = 0; i < 8; i++) await play(undefined)
    expect(opened).toBe(8)
  })
})

describe('a call that met a lock or a time limit, of a provider that is well', () => {
  it('is tried again, and never opens the breaker', async () => {
    opening = ({ role }) => (role === 'source' ? unavailable('deadlock detected', { code: '40P01', providerWell: true }) : undefined)
    for (let i = 0; i < 12; i++) expect((await play('locked')).is).toBe('retry')
    expect(opened).toBe(12)
  })
})

describe('a provider whose name is not found', () => {
  it('is tried again for an hour, then a person is asked; found again, it goes on by itself', async () => {
    opening = ({ role }) => (role === 'source' ? unavailable('getaddrinfo ENOTFOUND db.example', { code: 'ENOTFOUND' }) : undefined)
    for (let i = 0; i < 5; i++) expect((await play('lost')).is).toBe('retry')
    expect(await play('lost')).toMatchObject({ is: 'defer', error: { code: 'breaker-open' } })
    await clock.pass(hour + 1)
    for (let i = 0; i < 3; i++) expect(await play('lost')).toMatchObject({ is: 'settled', outcome: 'failed', error: { is: 'needs-person', code: 'ENOTFOUND', side: 'source' } })
    opening = undefined
    await clock.pass(hour)
    expect(await play('lost')).toMatchObject({ is: 'settled', outcome: 'succeeded' })
  })
})

describe('a side that is kept open', () => {
  const side = async (account: string, stop = new AbortController()) => {
    rig.options.flow = { source: { provider: 'memory', store: 'a', account } }
    const connection = await rig.ports.connection('c1' as never, 1)()
    if (E.isLeft(connection) || connection.right === null) throw new Error('no connection')
    const [flow] = connection.right.flows
    if (flow === undefined) throw new Error('no flow')
    const found = await sides.openSide(connection.right, flow, 'source', stop.signal)()
    if (E.isLeft(found)) throw new Error(found.left.message)
    return { side: found.right, stop, ask: { cursor: null, limit: 10, resuming: false, signal: stop.signal } }
  }

  it('is used again, and not after a call on it failed', async () => {
    const first = await side('kept')
    await first.side.close()
    const second = await side('kept')
    expect(opened).toBe(1)
    sandbox.behave(() => ({ status: 500 }))
    expect(E.isLeft(await second.side.read(second.ask)())).toBe(true)
    await second.side.close()
    await side('kept')
    expect(opened).toBe(2)
  })

  it('says nothing about the provider by calls that we cut short', async () => {
    sandbox.behave(() => ({ status: 500 }))
    for (let i = 0; i < 8; i++) {
      const { side: one, stop, ask } = await side('cut')
      stop.abort()
      await one.read(ask)()
    }
    expect(calledAt).toHaveLength(8)
  })

  it('counts a write of many as failed only when none of them went through', async () => {
    const failing = { write: () => TE.right([{ is: 'failed' as const, failure: unavailable('no') }, { is: 'stale' as const }]) }
    const wrapped: Connector = { ...connector, open: () => async () => E.right({ ...memorySide(rig.a, {}), ...failing }) }
    sides = openSides(new Map([['memory', wrapped]]), () => undefined, clock, providerGate({ store: memoryProviders(), clock, random: systemRandom, worker: 'w' }))
    const { side: one, ask } = await side('writes')
    for (let i = 0; i < 8; i++) expect(E.isRight(await one.write([], ask.signal)())).toBe(true)
  })
})
