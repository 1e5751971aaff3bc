/**
 * A lease as runs hold it, over a state store and a clock that a test moves by hand: every sleeper wakes when its time has
 * come, and everything that follows from it is done before `pass` answers.
 */
import type { Clock } from '#libs/clock.ts'
import type { LeaseEntry } from '#libs/contracts/state.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import type { Hold } from '../../services/sync-worker/hold-lease.ts'
import { leaseTimesOf, type LeaseTimes } from '../../services/sync-worker/lease.ts'
import { leaseMemory } from '../../services/sync-worker/lease-memory.ts'
import type { Ports, StateStore } from '../../services/sync-worker/ports.ts'
import { takeLease } from '../../services/sync-worker/take-lease.ts'
import { memoryState, type MemoryState } from './memory-state.ts'

export const conn = 'c1' as ConnectionId
export const flow = 'main' as FlowId
export const checkpoint = (cursor: string, more: Partial<Checkpoint> = {}): Checkpoint => ({ fence: 1, run: 'r', phase: 'delta', gen: 0, cursorA: cursor, cursorB: null, cfgHash: 'h', pages: 1, links: 1, parked: 0, ...more })
export const page = (text: string, revision = 0, n = 0) => ({ n, revision, page: { links: { k: { key: text, st: 'linked' as const } } } })

export type ManualClock = Clock & { readonly pass: (ms: number) => Promise<void> }

export const manualClock = (onPass: (ms: number) => void = () => undefined): ManualClock => {
  let now = 1_000
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done))
  }
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((done) => {
        if (signal?.aborted === true) return done()
        const sleeper = { at: now + Math.max(0, ms), wake: () => (sleepers.delete(sleeper), done()) }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
      }),
    pass: async (ms) => {
      const end = now + ms
      await settle()
      for (;;) {
        const next = Math.min(end, ...[...sleepers].map(({ at }) => at))
        onPass(Math.max(0, next - now))
        now = Math.max(now, next)
        for (const sleeper of [...sleepers]) if (sleeper.at <= now) sleeper.wake()
        await settle()
        if (now >= end && ![...sleepers].some(({ at }) => at <= now)) return
      }
    },
  }
}

export type Worker = {
  readonly take: (more?: { readonly run?: string; readonly attempt?: number }) => Promise<Hold>
  readonly tryTake: ReturnType<typeof takeLease>
  /** How often it lost a lease. */
  readonly lost: () => number
  readonly worked: () => number
}

/** A worker of its own: its own memory of leases, the clock and the store shared with the others. */
export const worker = (name: string, state: StateStore, clock: Clock, times: LeaseTimes = leaseTimesOf(30_000)): Worker => {
  let lost = 0
  let worked = 0
  const ports = { clock, random: systemRandom, log: silentLog, worker: name, state, count: (metric: string) => void (metric === 'lease-lost' && lost++) } as unknown as Ports
  const tryTake = takeLease(ports, times, leaseMemory())
  return {
    tryTake,
    take: async ({ run = `${name}-run`, attempt = 1 } = {}) => {
      const taken = await tryTake({ conn, run, attempt, stillWorking: async () => void worked++ })
      if (E.isLeft(taken) || taken.right.is === 'busy') throw new Error(`${name} did not get the lease: ${JSON.stringify(taken)}`)
      return taken.right.hold
    },
    lost: () => lost,
    worked: () => worked,
  }
}

/** Two workers on one store in memory, whose time passes with theirs. `wrap`: what the first one sees of the store. */
export const bench = (wrap: (state: StateStore) => StateStore = (state) => state) => {
  const state = memoryState()
  const clock = manualClock((ms) => state.advance(ms))
  return { state, clock, one: worker('one', wrap(state), clock), two: worker('two', state, clock) }
}
/** Which kinds of keys were written, in stream order. */
export const writesOf = (state: MemoryState) => state.log.map(({ key }) => key.split('.')[0])

export const leaseOf = async (state: StateStore): Promise<{ readonly entry: LeaseEntry | null; readonly revision: number }> => {
  const seen = await state.readLease(conn)()
  if (E.isLeft(seen)) throw new Error(JSON.stringify(seen.left))
  return seen.right
}
export const cursorOf = async (state: StateStore): Promise<string | null | undefined> => {
  const read = await state.readCheckpoint(conn, flow)()
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  return read.right?.value.cursorA
}
