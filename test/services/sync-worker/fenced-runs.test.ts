/** Whole runs on memory sides: many workers, zombies, crashes at every step, a store that went back (SYNC.md §E.3). */
import { describe, expect, it } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { leaseTimesOf } from '../../../services/sync-worker/lease.ts'
import { leaseMemory } from '../../../services/sync-worker/lease-memory.ts'
import type { Ports, StoreFailure } from '../../../services/sync-worker/ports.ts'
import { stopSwitch } from '../../../services/sync-worker/stop-switch.ts'
import { syncConnection, type RunEnd } from '../../../services/sync-worker/sync.ts'
import { engineRig, type EngineRig } from '../../support/engine-rig.ts'

const item = (rig: EngineRig, more: Partial<WorkItem> = {}): WorkItem => ({
  conn: 'c1' as WorkItem['conn'], run: systemRandom.ulid(rig.ports.clock.now()) as WorkItem['run'], trigger: 't', cause: 'tick', lane: 'hot', revision: 1, askedAt: 0, ...more,
})

/** A worker beside the rig's own: same sides, same store, its own memory of leases. */
const another = (rig: EngineRig, more: Partial<Ports> = {}) => {
  const play = syncConnection({ ...rig.ports, worker: systemRandom.token(), ...more }, leaseTimesOf(30_000), leaseMemory())
  return (work: WorkItem, attempt = 1): Promise<RunEnd> => play({ item: work, attempt, trace: undefined, stillWorking: async () => undefined, stop: stopSwitch() })
}

const filled = (options: Parameters<typeof engineRig>[0] = {}): EngineRig => {
  const rig = engineRig(options)
  for (let n = 0; n < 12; n++) rig.a.put({ key: `k${n}`, fields: { FN: `${n}` } })
  return rig
}

describe('T50 one trigger delivered to five workers at once', () => {
  it.each(['two-way', 'one-way'] as const)('is one run’s worth of writes, %s', async (direction) => {
    const rig = filled({ direction })
    const work = item(rig)
    const ends = await Promise.all(Array.from({ length: 5 }, () => another(rig)(work)))
    expect(ends.filter(({ hold }) => hold !== undefined)).toHaveLength(1)
    expect(ends.filter(({ judgement }) => judgement.is === 'skipped')).toHaveLength(4)
    expect(rig.newWrites()).toEqual({ a: 0, b: 12 })
    expect(rig.b.all()).toHaveLength(12)
  })

  it('and redelivered to five more while the first still plays: put off, not played', async () => {
    const rig = filled()
    const work = item(rig)
    const first = await another(rig)(work)
    const ends = await Promise.all(Array.from({ length: 5 }, () => another(rig)(work, 2)))
    expect(ends.map(({ judgement }) => judgement.is)).toEqual(Array(5).fill('defer'))
    await first.hold?.release([])
    expect(rig.newWrites()).toEqual({ a: 0, b: 12 })
  })
})

describe('T51 a worker that is stopped in the middle of a run, while another finishes it', () => {
  it.each(['before its write', 'after its write'] as const)('%s: commits nothing more, says fenced, and the sides are equal', async (where) => {
    let stopped = false
    const rig = filled({
      b: { batchSize: 5 },
      wrap: (name, side): Side => name === 'source' ? side : {
        ...side,
        write: (writes, signal) => async () => {
          if (stopped || where === 'before its write') await meanwhile()
          const wrote = await side.write(writes, signal)()
          if (where === 'after its write') await meanwhile()
          return wrote
        },
      },
    })
    let commits = 0
    const meanwhile = async (): Promise<void> => {
      if (stopped) return
      stopped = true
      rig.state.advance(31_000)
      const end = await another(rig)(item(rig), 2)
      expect(end.result.outcome).toBe('succeeded')
      await end.hold?.release([])
      commits = rig.state.log.length
    }
    const end = await another(rig)(item(rig))
    expect(end.judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    await end.hold?.release([])
    expect(rig.state.log).toHaveLength(commits)
    expect(rig.b.all()).toHaveLength(12)
    rig.newWrites()
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })
})

describe('T51 a worker whose trust ran out between two writes', () => {
  it('sends not one more, though nobody has taken its lease and its write would be let in', async () => {
    let slept = 0
    const rig = filled({
      b: { batchSize: 5 },
      wrap: (name, side): Side => name === 'source' ? side : { ...side, write: (writes, signal) => async () => { const wrote = await side.write(writes, signal)(); slept = 26_000; return wrote } },
    })
    const clock = { ...rig.ports.clock, monotonic: () => rig.ports.clock.monotonic() + slept }
    const end = await another(rig, { clock })(item(rig))
    expect(end.judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(rig.b.writes).toHaveLength(5)
    const before = rig.state.log.length
    await end.hold?.release([])
    expect(rig.state.log).toHaveLength(before)
  })
})

describe('T52f a store of leases that went back in time', () => {
  it('halts the connection where a run would begin with a fence that was given before', async () => {
    const rig = filled()
    const restore = rig.state.copy()
    await rig.sync()
    restore()
    rig.a.put({ key: 'k0', fields: { FN: 'edited' } })
    rig.newWrites()
    const end = await rig.play()
    expect(end.result).toMatchObject({ outcome: 'failed', error: { is: 'fence-regress', mend: expect.stringContaining('operating.md') as unknown } })
    expect(end.result.fence).toBeGreaterThan(0)
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('halts it also in a worker that has just started, where the checkpoint did not go back', async () => {
    const rig = filled()
    await rig.sync()
    rig.state.drop('lease.c1')
    const low = { ...rig.state, writeLease: (...args: Parameters<typeof rig.state.writeLease>) => async () => { const written = await rig.state.writeLease(...args)(); return E.isRight(written) ? E.right(1) : written } }
    const end = await another(rig, { state: low })(item(rig))
    expect(end.result.error).toMatchObject({ is: 'fence-regress' })
    expect(rig.newWrites()).toEqual({ a: 0, b: 12 })
  })

  it('halts it also in a worker that has just started, where everything went back but what the tracker heard', async () => {
    const rig = filled()
    const end = await another(rig, { highestFence: () => TE.right(1_000) })(item(rig))
    expect(end.result).toMatchObject({ outcome: 'failed', error: { is: 'fence-regress', message: expect.stringContaining('1000') as unknown, mend: expect.stringContaining('operating.md') as unknown } })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(await rig.state.readCheckpoint('c1' as ConnectionId, 'main' as FlowId)()).toEqual(E.right(null))
  })

  it('asks the tracker’s bucket once for each connection and process; again as long as that says no, or nothing', async () => {
    const rig = filled()
    const answers: Array<E.Either<StoreFailure, number>> = [E.left({ is: 'broken', message: 'denied' }), E.right(1_000), E.right(0)]
    let asked = 0
    const play = another(rig, { highestFence: () => async () => answers[asked++] ?? E.right(0) })
    const outcomes: Array<string> = []
    for (let n = 0; n < 6; n++) {
      const end = await play(item(rig))
      outcomes.push(end.result.outcome)
      await end.hold?.release([])
    }
    expect(outcomes).toEqual(['succeeded', 'failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded'])
    expect(asked).toBe(3)
  })

  it('goes on by itself once the revisions are above all that were given', async () => {
    const rig = filled()
    const restore = rig.state.copy()
    await rig.sync()
    restore()
    for (let n = 0; n < 20; n++) rig.state.remove('scratch')
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.b.all()).toHaveLength(12)
  })
})

/**
 * T49: the process dies at the k-th effect of the run, before it is done or right after it. A dead process is a promise that
 * is never kept; its lease lapses, and the next worker takes over.
 */
describe('T49 a worker that dies at any step', () => {
  const dead = new Promise<never>(() => undefined)
  const died = Symbol('died')

  const dying = (rig: EngineRig, at: number, when: 'before' | 'after') => {
    let step = 0
    let tell: (value: typeof died) => void = () => undefined
    const over = new Promise<typeof died>((resolve) => (tell = resolve))
    const deadly = <A>(effect: () => Promise<A>) => async (): Promise<A> => {
      const isLast = ++step === at
      if (step > at || (isLast && when === 'before')) return (tell(died), dead)
      const answer = await effect()
      return isLast ? (tell(died), dead) : answer
    }
    const { state } = rig.ports
    const openSide: Ports['openSide'] = (...ask) => async () => {
      const side = await rig.ports.openSide(...ask)()
      return E.isLeft(side) ? side : E.right({ ...side.right, write: (writes, signal) => deadly(side.right.write(writes, signal)) })
    }
    const ports: Partial<Ports> = {
      openSide,
      state: {
        ...state,
        writeLease: (...args) => deadly(state.writeLease(...args)),
        writeCheckpoint: (...args) => deadly(state.writeCheckpoint(...args)),
        writeBatch: (batch) => deadly(state.writeBatch(batch)),
        dropLease: (...args) => deadly(state.dropLease(...args)),
      },
      sayArchived: (version, trace) => deadly(rig.ports.sayArchived(version, trace)),
    }
    return { ports, over }
  }

  const scenarios: ReadonlyArray<readonly [name: string, change: (rig: EngineRig) => void]> = [
    ['create', (rig) => void [0, 1, 2].forEach((n) => rig.a.put({ key: `new${n}`, fields: { FN: `new ${n}` } }))],
    ['update', (rig) => void [0, 1, 2].forEach((n) => rig.b.put({ key: `k${n}`, fields: { FN: `edited ${n}` } }))],
    ['delete', (rig) => void [0, 1, 2].forEach((n) => rig.a.removeKey(`k${n}`))],
    ['merge', (rig) => void [0, 1, 2].forEach((n) => {
      rig.a.put({ key: `k${n}`, fields: { FN: `of a ${n}`, NOTE: '' } })
      rig.b.put({ key: `k${n}`, fields: { FN: `${n}`, NOTE: `of b ${n}` } })
    })],
  ]

  const inSync = async (): Promise<EngineRig> => {
    const rig = filled({ connection: { strategy: 'merge' }, a: { batchSize: 2 }, b: { batchSize: 2 } })
    await rig.sync()
    rig.newWrites()
    return rig
  }
  const contents = (rig: EngineRig) => [rig.a, rig.b].map((store) => store.all().map(({ key, fields }) => ({ key, fields })).sort((x, y) => (x.key < y.key ? -1 : 1)))

  it.each(scenarios)('of a run that has to %s: the next run makes the sides equal, each item once', async (_name, change) => {
    const whole = await inSync()
    change(whole)
    await whole.sync()
    const [wanted] = contents(whole)
    const wrote = whole.newWrites()
    let tried = 0
    for (let at = 1; ; at++) {
      let reached = true
      for (const when of ['before', 'after'] as const) {
        const rig = await inSync()
        change(rig)
        const { ports: deadly, over } = dying(rig, at, when)
        const run = another(rig, deadly)(item(rig)).then(async (end) => (await end.hold?.release([]), end))
        reached = (await Promise.race([run, over])) === died
        rig.state.advance(31_000)
        const next = await another(rig)(item(rig), 2)
        expect(next.result, `died ${when} effect ${at}`).toMatchObject({ outcome: 'succeeded' })
        await next.hold?.release([])
        const [a, b] = contents(rig)
        expect([a, b], `died ${when} effect ${at}`).toEqual([wanted, wanted])
        const all = rig.newWrites()
        expect(all.a + all.b, `died ${when} effect ${at}`).toBeLessThanOrEqual(wrote.a + wrote.b)
        await rig.sync()
        expect(rig.newWrites(), `died ${when} effect ${at}`).toEqual({ a: 0, b: 0 })
        tried++
      }
      if (!reached) break
    }
    expect(tried).toBeGreaterThan(8)
  })
})
