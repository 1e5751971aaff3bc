/**
 * One connection over two memory sides, with every call of the engine counted, so that a run can be killed, meddled with or
 * overtaken at any of them. Knows what the users did and what the engine wrote; judges each write as it happens.
 */
import type { Side } from '#libs/connectors/connector.ts'
import { Broken, type Tap } from './tap.ts'
import type { MemoryStore, Stored } from '#libs/connectors/memory/store.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Ports } from '../../services/sync-worker/ports.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import { engineRig, type EngineRig } from '../support/engine-rig.ts'
import { lateSide, nothingListed } from './lying-sides.ts'
import { fencesOf, type FenceLog } from './fences.ts'
import { Violation } from './violation.ts'
import type { Setup } from './setup.ts'
import { unmarked } from './marked-side.ts'
import { tapPorts, tapSide } from './tap.ts'

export type SideName = 'source' | 'destination'
export const sideNames = ['source', 'destination'] as const
export const otherSide = (side: SideName): SideName => (side === 'source' ? 'destination' : 'source')

/** Takes one safety away: what the negative controls are made of. */
export type Mutant = {
  readonly name: string
  readonly side?: (name: SideName, side: Side) => Side
  readonly ports?: (ports: Ports, rig: EngineRig) => Ports
  /** Nobody asks before approving. */
  readonly approvesAll?: true
  readonly flow?: { readonly horizonMs: number }
}

export type World = {
  readonly setup: Setup
  readonly rig: EngineRig
  readonly store: (side: SideName) => MemoryStore
  /** Keys whose base was lost. */
  readonly noBase: Set<string>
  /** Pages of links are gone while the checkpoint stands: only a complete look brings the links back. */
  lostPages: boolean
  /** A listing left things out: they may be unknown until the next complete look. */
  lied: boolean
  wasReadOnly: boolean
  /** In the last run a listing showed nothing. */
  wasBlind: boolean
  /** A side's listing shows nothing for one run. */
  amnesia: SideName | undefined
  /** What happens at the nth call of the next run. */
  trap: { readonly at: number; readonly does: () => void | Promise<void>; readonly when: 'before' | 'after' } | undefined
  /** Keys edited while a run was going on. */
  readonly meddled: Set<string>
  /** Items as users left them since both sides last agreed, by key. */
  readonly pending: Map<string, Set<SideName>>
  readonly userSays: Map<string, { readonly side: SideName; readonly fields: Fields | undefined }>
  readonly touchedB: Set<string>
  /** Something happened to this key that no simple expectation covers. */
  readonly odd: Set<string>
  /** Under another id since both sides agreed. */
  readonly moved: Set<string>
  /** Left out of a listing once, and not shown since. */
  readonly hidden: Set<string>
  readonly fences: FenceLog
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunEnd | 'killed'>
  readonly killSoon: (at: number, when: 'before' | 'after') => void
  readonly user: (side: SideName, key: string, edit: (before: Stored | undefined) => Fields | undefined) => void
  readonly passTime: (ms: number) => void
}

/** Longer than any side is late. */
const horizonMs = 600_000

export const worldOf = (setup: Setup, mutant?: Mutant): World => {
  const tap: Tap = { calls: 0, dead: false, at: async () => undefined }
  const rig = engineRig({
    direction: setup.way === 'two-way' ? 'two-way' : 'one-way',
    connection: { strategy: setup.strategy, tie: setup.tie },
    flow: { deleteWins: setup.deleteWins, drift: setup.drift, horizonMs: setup.lateMs === undefined ? 0 : horizonMs, ...(mutant?.flow ?? {}), ...(setup.readOnly === undefined ? {} : { readOnly: setup.readOnly }) },
    a: setup.a,
    b: { ...setup.b, ...(setup.way === 'streamed' ? { transactional: true } : {}) },
    wrap: (name, side) => {
      const shown = world.amnesia === name ? nothingListed(side) : side
      const late = setup.lateMs === undefined ? shown : lateSide(shown, wroteAt[name], setup.lateMs, () => now)
      return tapSide(tap, mutant?.side?.(name, late) ?? late)
    },
  })
  let now = 1_700_000_000_000
  let ids = 0
  let running = 0
  const fences = fencesOf()
  const wroteAt = { source: new Map<string, number>(), destination: new Map<string, number>() }
  const own: Ports = {
    ...rig.ports,
    clock: { ...rig.ports.clock, now: () => (now += 1), monotonic: () => now },
    random: { next: () => 0.5, ulid: (at) => `01${String(at).padStart(14, '0')}`.padEnd(26, '0'), token: () => `token-${ids++}` },
    state: fences.watch(rig.state),
  }
  const store = (side: SideName): MemoryStore => (side === 'source' ? rig.a : rig.b)
  const ports = (): Ports => tapPorts(tap, mutant?.ports?.(own, rig) ?? own)

  const judge = (side: SideName) => (write: { readonly do: string; readonly key: string; readonly remoteId?: string }): void => {
    const there = write.remoteId === undefined ? undefined : store(side).get(write.remoteId)
    befores.push({ side, there, other: store(otherSide(side)).byKey(write.key).length, index: store(side).writes.length })
  }
  type Before = { readonly side: SideName; readonly there: Stored | undefined; readonly other: number; readonly index: number }
  const befores: Array<Before> = []
  rig.a.mischief.beforeWrite = judge('source')
  rig.b.mischief.beforeWrite = judge('destination')

  /** I1, I5, I7: every write that was applied since the last look. */
  const judgeWrites = (clean: boolean): void => {
    for (const { side, there, other, index } of befores.splice(0)) {
      const entry = store(side).writes[index]
      if (entry?.applied !== true) continue
      if (!clean) {
        // Written, perhaps not remembered: from then on it looks like somebody's own edit of that side (SYNC.md §A.6).
        world.odd.add(entry.write.key)
        if (side === 'destination') world.touchedB.add(entry.write.key)
      }
      if (entry.write.do === 'create') continue
      const { write } = entry
      const strong = (side === 'source' ? setup.a : setup.b).versions !== 'none' && (side === 'source' ? setup.a : setup.b).silentWrites !== true
      if (strong && write.expect === null) throw new Violation(`I7: ${write.do} of ${write.key} at the ${side} without a precondition`)
      const isSame = write.do === 'update' && there !== undefined && hashOf(write.fields) === hashOf(there.fields)
      if (isSame) throw new Violation(`I2: ${write.key} was written to the ${side} although it shows that already`)
      const kept = there === undefined || rig.archived.some(({ key, fields }) => key === write.key && hashOf(unmarked(fields as Fields)) === hashOf(there.fields))
      if (!kept && (strong || !world.meddled.has(write.key))) throw new Violation(`I1: ${write.do} of ${write.key} at the ${side} took ${JSON.stringify(there?.fields)} away, which is in no archive`)
      if (write.do !== 'delete' || world.meddled.has(write.key)) continue
      // What cannot be read has no identity: somewhere else than before, nobody can know it is the same.
      const blind = (setup.readOnly === 'revert' || world.moved.has(write.key)) && store(otherSide(side)).byKey(write.key).every(({ spoilt }) => spoilt !== undefined)
      const unseen = !world.wasBlind && world.hidden.has(write.key)
      if (other > 0 && !blind && !unseen) throw new Violation(`I5: ${write.key} was deleted at the ${side} although the other side has it`)
      // A mirror of a read-only side removes what that side never had: there is no base for that by its nature.
      if (world.noBase.has(write.key) && setup.readOnly !== 'revert') throw new Violation(`I5: ${write.key} was deleted at the ${side} without a base`)
    }
  }

  const world: World = {
    setup, rig, store, fences,
    noBase: new Set(), lostPages: false, lied: false, wasReadOnly: false, wasBlind: false, amnesia: undefined, trap: undefined,
    meddled: new Set(), pending: new Map(), userSays: new Map(), touchedB: new Set(), odd: new Set(), moved: new Set(), hidden: new Set(),
    passTime: (ms) => void (now += ms),
    killSoon: (at, when) => {
      world.trap = { at, when, does: () => { tap.dead = true; throw new Broken() } }
    },
    user: (side, key, edit) => {
      const [item] = store(side).byKey(key)
      const fields = edit(item)
      if (fields === undefined) store(side).removeKey(key)
      else store(side).put({ key, fields, ...(item === undefined ? {} : { remoteId: item.remoteId }) })
      world.userSays.set(key, { side, fields })
      world.pending.set(key, (world.pending.get(key) ?? new Set()).add(side))
      if (side === 'destination') world.touchedB.add(key)
      if (item === undefined) world.moved.add(key)
      if (running > 0) world.meddled.add(key)
      else now += 240_000
    },
    sync: async (item = {}) => {
      const { trap } = world
      world.trap = undefined
      now += 1_000
      tap.calls = 0
      if (running === 0) {
        tap.dead = false
        world.meddled.clear()
      }
      tap.at = async (call, when) => {
        if (trap?.at !== call || trap.when !== when) return
        tap.at = async () => undefined
        await trap.does()
      }
      running++
      const end = await rig.play(item, { ports: ports(), keep: true })
      running--
      const killed = tap.dead && running === 0
      if (killed) rig.state.advance(40_000)
      else await end.hold?.release([])
      if (running > 0) return end
      tap.dead = false
      const { amnesia } = world
      world.amnesia = undefined
      world.wasBlind = amnesia !== undefined
      judgeWrites(!killed && isClean(end))
      fences.judge()
      if (killed) return 'killed'
      const plan = end.result.flows[0]?.plan
      const approves = mutant?.approvesAll === true && end.result.outcome === 'held' && plan !== undefined && item.approved !== plan && item.dryRun !== true
      if (!approves) return end
      world.amnesia = amnesia
      return world.sync({ ...item, approved: plan })
    },
  }
  return world
}

export const isClean = (end: RunEnd | 'killed'): boolean =>
  end !== 'killed' && end.judgement.is === 'settled' && end.result.outcome === 'succeeded' && end.result.dryRun !== true && end.result.flows.every(({ warnings }) => (warnings ?? []).length === 0)

export const ok = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}
