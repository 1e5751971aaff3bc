/** What becomes of a work item, delivery by delivery, and of its lease, whatever happens on the way (SYNC.md §A.5, §D.1). */
import { describe, expect, it } from 'vitest'
import type { Verdict } from '#libs/actor/verdict.ts'
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { done } from '#libs/actor/verdict.ts'
import { E } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { leaseTimesOf } from '../../../services/sync-worker/lease.ts'
import { performer } from '../../../services/sync-worker/perform.ts'
import type { Ports } from '../../../services/sync-worker/ports.ts'
import { engineRig, type EngineOptions } from '../../support/engine-rig.ts'

const bench = (options: EngineOptions = {}, more: Partial<Ports> = {}) => {
  const rig = engineRig(options)
  const said = { results: [] as Array<RunResult>, dead: [] as Array<DeadLetter>, requests: [] as Array<readonly [string, SyncRequest, string]> }
  const ports: Ports = {
    ...rig.ports,
    sayResult: (result) => async () => E.right(void said.results.push(result)),
    sayDead: (letter) => async () => E.right(void said.dead.push(letter)),
    sayRequest: (conn, request, dedupe) => async () => E.right(void said.requests.push([conn, request, dedupe])),
    ...more,
  }
  const perform = performer(ports, leaseTimesOf(30_000), () => undefined)
  const item: WorkItem = { conn: 'c1' as WorkItem['conn'], run: systemRandom.ulid(1) as WorkItem['run'], trigger: 'secret', cause: 'manual', lane: 'hot', revision: 1, askedAt: 0 }
  const deliver = async (attempt: number, wish: Partial<WorkItem> = {}): Promise<Verdict> => {
    const letter = { body: JSON.stringify(item), headers: {}, stream: 'SYNC_WORK', seq: 7 }
    const performed = await perform({ do: 'play', work: { is: 'work', item: { ...item, ...wish }, attempt, trace: undefined, letter, stillWorking: async () => undefined } })()
    return E.isLeft(performed) ? performed.left : done
  }
  const lease = async () => {
    const seen = await rig.state.readLease(item.conn)()
    if (E.isLeft(seen)) throw new Error('the lease cannot be read')
    return seen.right.entry
  }
  return { rig, said, deliver, lease }
}

describe('T56 a run that always fails', () => {
  it('is tried exactly as often as allowed, then kept once as a dead letter with every attempt’s error', async () => {
    const { rig, said, deliver, lease } = bench({ connection: { maxAttempts: 4 } })
    rig.a.mischief.failReads = 1_000
    for (const attempt of [1, 2, 3]) expect(await deliver(attempt)).toMatchObject({ is: 'retry-in' })
    expect([said.dead.length, said.results.length]).toEqual([0, 0])
    expect(await deliver(4)).toMatchObject({ is: 'poison' })
    expect(said.dead).toHaveLength(1)
    expect(said.dead[0]).toMatchObject({ seq: 7, fence: expect.any(Number) as unknown, attempts: [1, 2, 3, 4].map((attempt) => ({ attempt, error: expect.stringContaining('does not answer') as unknown })) })
    expect(said.results).toMatchObject([{ outcome: 'dead', attempt: 4 }])
    expect(await lease()).toBeNull()
  })

  it('succeeds when what failed is mended in between, and leaves no letter', async () => {
    const { rig, said, deliver, lease } = bench()
    rig.a.mischief.failReads = 1
    expect(await deliver(1)).toMatchObject({ is: 'retry-in' })
    expect(await lease()).toMatchObject({ free: true, attempts: [{ attempt: 1 }] })
    expect(await deliver(2)).toEqual(done)
    expect([said.dead.length, said.results.map(({ outcome }) => outcome)]).toEqual([0, ['succeeded']])
  })

  it('is delivered again while its letter cannot be stored', async () => {
    let up = false
    const dead: Array<DeadLetter> = []
    const { rig, deliver } = bench({ connection: { maxAttempts: 1 } }, {
      sayDead: (letter) => async () => (up ? E.right(void dead.push(letter)) : E.left({ is: 'unavailable', message: 'no stream' })),
    })
    rig.a.mischief.failReads = 1_000
    expect(await deliver(1)).toMatchObject({ is: 'retry-in' })
    up = true
    expect(await deliver(2)).toMatchObject({ is: 'poison' })
    expect(dead).toHaveLength(1)
  })
})

describe('the lease', () => {
  it('is given back when the result cannot be stored', async () => {
    const { deliver, lease } = bench({}, { sayResult: () => async () => E.left({ is: 'unavailable', message: 'no stream' }) })
    expect(await deliver(1)).toMatchObject({ is: 'retry-in' })
    expect(await lease()).toBeNull()
  })

  it('is given back when a bug throws on the way out', async () => {
    const { deliver, lease } = bench({}, { sayResult: () => { throw new Error('a bug') } })
    await expect(deliver(1)).rejects.toThrow('a bug')
    expect(await lease()).toBeNull()
  })

  it('is given back before the work item is let go', async () => {
    const { deliver, lease } = bench()
    const verdict = deliver(1)
    expect(await verdict.then(lease)).toBeNull()
  })
})

describe('a run that is fenced', () => {
  it('says nothing, and leaves its work item alone for as long as a lease lives', async () => {
    const { rig, said, deliver, lease } = bench()
    for (let n = 0; n < 3; n++) rig.a.put({ key: `k${n}`, fields: { FN: `${n}` } })
    rig.b.mischief.beforeWrite = () => {
      rig.state.advance(31_000)
      delete rig.b.mischief.beforeWrite
      void rig.state.readLease('c1' as WorkItem['conn'])().then((seen) => (E.isRight(seen) ? rig.state.writeLease('c1' as WorkItem['conn'], { owner: 'other', nonce: 'other', run: 'other', n: 0, free: false }, seen.right.revision, 30)() : undefined))
    }
    expect(await deliver(1)).toEqual({ is: 'retry-in', ms: 30_000, reason: expect.stringContaining('another worker') as unknown })
    expect(said).toEqual({ results: [], dead: [], requests: [] })
    expect(await lease()).toMatchObject({ owner: 'other' })
  })
})

describe('a run that is put off', () => {
  it('T57c asks again under an id of its own, and keeps what it was asked for', async () => {
    const { rig, said, deliver } = bench()
    const held = await rig.play({}, { keep: true })
    expect(await deliver(2, { slot: 60_000, mode: 'full', dryRun: true, redriveOf: 9 })).toEqual(done)
    expect(said.requests).toMatchObject([['c1', { cause: 'deferral', mode: 'full', dryRun: true, redriveOf: 9 }, 'defer:secret']])
    expect(said.results).toEqual([])
    await held.hold?.release([])
  })
})
