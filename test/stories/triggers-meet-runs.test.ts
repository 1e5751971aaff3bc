/** T57: wishes that come while a connection is busy: which are kept, which are one with what runs, and what they may hold up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connector, Side } from '#libs/connectors/connector.ts'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import { LeaseEntry } from '#libs/contracts/state.ts'
import { encode } from '#libs/contracts/decode.ts'
import { buckets, messageIds, stateKeys, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId, RunId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { systemRandom } from '#libs/random.ts'
import { spokenPorts } from '../../services/sync-worker/nats-ports.ts'
import { startHouse, type House } from '../support/house.ts'
import { patienceMs, until } from '../support/processes.ts'

/** Writes of the destination wait here while the gate is shut: the run is past its listing. */
const gate = { waiting: 0, shut: false, open: (): void => undefined }
const [a, b] = [memoryStore('a'), memoryStore('b')]
const gated = (side: Side): Side => ({
  ...side,
  write: (writes, signal) => async () => {
    if (gate.shut) {
      gate.waiting++
      await new Promise<void>((open) => (gate.open = open))
    }
    return side.write(writes, signal)()
  },
})
const connector: Connector = { provider: 'gated', validate: () => [], open: ({ role }) => TE.right(role === 'source' ? memorySide(a) : gated(memorySide(b))) }

let house: House
beforeAll(async () => {
  house = await startHouse({ connectors: new Map([['gated', connector]]), env: { WORKER_LEASE_TTL_MS: '8000' } })
})
afterAll(() => house.stop())

const connection = (id: string, provider = 'memory', schedule: unknown = { kind: 'manual' }) => ({
  id, schedule, flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider, store: `${id}-a` }, destination: { provider, store: `${id}-b` } }],
})
const work = async (id: string, more: Partial<WorkItem>, msgId: string) => {
  const item: WorkItem = { conn: id as ConnectionId, run: systemRandom.ulid(Date.now()) as RunId, trigger: systemRandom.token(), cause: 'tick', lane: 'hot', revision: 1, askedAt: Date.now(), ...more }
  return publish(house.bus)(subjects.work('hot', item.conn), encode(WorkItem, item), { msgId })()
}

describe('while a run is past its listing', () => {
  it('T57b a request is followed by a run that starts after it; a tick is one with what runs', async () => {
    await house.apply(connection('met', 'gated'))
    gate.shut = true
    a.put({ key: 'early', fields: { FN: 'early' } })
    await house.request('met')
    await until('the run writes', () => gate.waiting === 1)
    a.put({ key: 'late', fields: { FN: 'late' } })
    const askedAt = Date.now()
    await house.request('met')
    expect(await work('met', { slot: 60_000 }, 'met@60000')).toMatchObject({ left: { is: 'subject-full' } })
    gate.shut = false
    gate.open()
    const second = await house.result(({ conn, startedAt, outcome }) => conn === 'met' && outcome === 'succeeded' && startedAt >= askedAt)
    expect(second.flows[0]?.counts.created).toBe(1)
    expect(b.byKey('late')).toHaveLength(1)
    expect(house.results.filter(({ conn, outcome }) => conn === 'met' && outcome === 'succeeded')).toHaveLength(2)
  })
})

describe('work that is put off', () => {
  it('T57c is stored as work of its own, although the tick of its slot was stored a moment ago', async () => {
    house.store('busy-a')
    house.store('busy-b')
    await house.apply(connection('busy'))
    const lease: LeaseEntry = { owner: 'somebody', nonce: 'n', run: 'r', n: 0, free: false }
    expect(await openBucket(house.bus)(buckets.state).putWithTtl(stateKeys.lease('busy' as ConnectionId), encode(LeaseEntry, lease), { revision: 0, ttlSeconds: 2 })()).toMatchObject({ _tag: 'Right' })
    expect(await work('busy', { cause: 'first' }, messageIds.tick('busy' as ConnectionId, 60_000))).toMatchObject({ right: { duplicate: false } })
    expect(await house.result(({ conn }) => conn === 'busy')).toMatchObject({ cause: 'deferral', outcome: 'succeeded' })
  })

  it('T57d sixty times keeps at most sixteen requests of the connection, and holds up nobody else', async () => {
    for (const id of ['slow', 'other']) {
      house.store(`${id}-a`)
      house.store(`${id}-b`)
      await house.apply(connection(id))
    }
    const { sayRequest } = spokenPorts(house.bus, patienceMs)
    const said = await Promise.all(Array.from({ length: 60 }, (_, n) => sayRequest('slow' as ConnectionId, { cause: 'deferral', notBefore: Date.now() + 3_600_000 }, `defer:${n}`, undefined)()))
    expect(said.filter(E.isLeft)).toEqual([])
    const pending = await house.bus.jsm.streams.info(streams.requests, { subjects_filter: subjects.request('slow' as ConnectionId) })
    expect(pending.state.subjects?.[subjects.request('slow' as ConnectionId)]).toBe(16)
    await house.request('other')
    expect(await house.result(({ conn }) => conn === 'other')).toMatchObject({ outcome: 'succeeded' })
    expect(house.results.filter(({ conn }) => conn === 'slow')).toEqual([])
  })
})
