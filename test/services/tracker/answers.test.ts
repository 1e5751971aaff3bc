import { describe, expect, it } from 'vitest'
import { E, TE } from '#libs/fp.ts'
import { verbs } from '../../../services/tracker/answers.ts'
import type { AnswerPorts } from '../../../services/tracker/answers.ts'
import { directory } from '../../../services/tracker/directory.ts'
import { healthOf } from '../../../services/tracker/health.ts'
import type { HealthPorts } from '../../../services/tracker/health.ts'
import type { Shelf, Trouble } from '../../../services/tracker/ports.ts'
import { recent } from '../../../services/tracker/recent.ts'
import { conn } from './samples.ts'

const down: Trouble = { is: 'unavailable', message: 'no leader' }
const brokenShelf = <A>(): Shelf<A> => ({ read: () => TE.left(down), write: () => TE.left(down), each: () => TE.left(down) })
const silent = () => new Promise<never>(() => undefined)
const silentShelf = <A>(): Shelf<A> => ({ read: () => silent, write: () => silent, each: () => silent })

/** The clock's patience is over at once. */
const portsWith = (status: AnswerPorts['status'], stats: AnswerPorts['stats']): AnswerPorts => {
  const connections = directory()
  connections.put({ connection: { id: conn(), schedule: { kind: 'manual' }, flows: [], paused: true }, appliedAt: 1 })
  const refuse = () => TE.left(down)
  return {
    status, stats, directory: connections, clock: { sleep: () => Promise.resolve() }, now: () => 0, newRun: () => '', alert: () => undefined,
    history: { latest: refuse, append: refuse, all: refuse, newest: refuse, keepOnly: refuse, removeAll: refuse, connections: refuse() },
    dead: { read: refuse, list: refuse, lastSeq: refuse(), remove: refuse, write: refuse, writeEdited: refuse },
    says: { alert: () => undefined, request: refuse, audit: refuse },
  }
}

describe.each([
  ['fails', portsWith(brokenShelf(), brokenShelf())],
  ['never answers', portsWith(silentShelf(), silentShelf())],
])('when the store %s', (_, ports) => {
  it('a status is its safe defaults with a note', async () => {
    expect(await verbs.status(ports, { connection: conn() })).toMatchObject({ right: { id: 'contacts', state: 'paused', last_sync_at: null, note: expect.stringContaining('defaults') as string } })
    expect(await verbs.status(ports, {})).toMatchObject({ right: { connections: [{ id: 'contacts', state: 'paused' }], note: expect.any(String) as string } })
  })
  it('and so are the statistics', async () => {
    expect(await verbs.statistics(ports, {})).toMatchObject({ right: { items: { total: 0 }, sync: { status: 'never_synced' }, connections: [{ id: 'contacts' }], note: expect.any(String) as string } })
  })
})

it('when the store fails, what cannot have a default is refused for now', async () => {
  const ports = portsWith(brokenShelf(), brokenShelf())
  for (const verb of ['history', 'clear', 'dlq-list'] as const) expect(await verbs[verb](ports, {})).toMatchObject({ left: { code: 503 } })
})

describe('health', () => {
  const well: HealthPorts = {
    isConnected: () => true, isWatching: () => true, connections: () => 3,
    consumers: [{ name: 'tracker', isRunning: () => true, look: () => Promise.resolve(E.right({ pending: 1, inHand: 2 })) }],
  }
  it.each([
    ['all is well', {}, 'ok', ''],
    ['NATS is gone', { isConnected: () => false }, 'unavailable', 'NATS_URL'],
    ['the connections are still being read', { isWatching: () => false }, 'unavailable', 'connections'],
    ['a consumer is missing', { consumers: [{ ...well.consumers[0]!, look: () => Promise.resolve(E.left({ is: 'unavailable' as const, message: 'consumer not found' })) }] }, 'unavailable', 'syncline provision'],
    ['it is stopping', { consumers: [{ ...well.consumers[0]!, isRunning: () => false }] }, 'unavailable', 'stopping'],
  ])('%s', async (_, change, status, problem) => {
    const health = await healthOf({ ...well, ...change })
    expect(health.status).toBe(status)
    expect(health.problems.join()).toContain(problem)
  })
})

it('what was used longest ago is forgotten first', () => {
  const kept = recent<number>(2)
  for (const [key, value] of [['a', 1], ['b', 2]] as const) kept.set(key, value)
  kept.get('a')
  kept.set('c', 3)
  expect([kept.get('a'), kept.get('b'), kept.get('c')]).toEqual([1, undefined, 3])
})
