/**
 * One connection over two memory sides, with every call of the engine counted, so that a run can be killed, meddled with or
 * overtaken at any of them. Remembers what the users did; each write and each commit is judged as it happens.
 */
import type { Side } from '#libs/connectors/connector.ts'
import type { MemoryStore, Stored } from '#libs/connectors/memory/store.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import type { Ports } from '../../services/sync-worker/ports.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import { engineRig, type EngineRig } from '../support/engine-rig.ts'
import { commitJudge } from './commits.ts'
import { excusesInto, type Excuses, type Tally } from './excuses.ts'
import { judgeOf } from './judge-writes.ts'
import { knowledgeOf } from './knowledge.ts'
import { linksOf, rememberedBy } from './ledger-of.ts'
import { lateSide, nothingListed, oneOmitted } from './lying-sides.ts'
import { isTwoWay, type Setup } from './setup.ts'
import { sideNames, type SideName } from './side-names.ts'
import { Broken, tapPorts, tapSide, type Tap } from './tap.ts'
import { Violation } from './violation.ts'

/** Takes one safety away: what the negative controls are made of. */
export type Mutant = {
  readonly name: string
  readonly side?: (name: SideName, side: Side) => Side
  readonly ports?: (ports: Ports, rig: EngineRig) => Ports
  /** How the engine sees content, where that is not as it is. */
  readonly sees?: (name: SideName, fields: Fields) => Fields
  /** Nobody asks before approving. */
  readonly approvesAll?: true
  readonly flow?: { readonly horizonMs: number }
}

/** Why one item is not held to the simple rule that a change made on one side alone stands. */
export type Oddity = 'its base was lost' | 'a listing left it out before it was linked' | 'it was edited while several shared its identity' | 'a write of it was not remembered' | 'it moved while it could not be read'

export type World = {
  readonly setup: Setup
  readonly rig: EngineRig
  readonly store: (side: SideName) => MemoryStore
  readonly excuses: Excuses
  /** Keys whose base was lost. */
  readonly noBase: Set<string>
  /** Pages of links are gone while the checkpoint stands: only a complete look brings the links back. */
  lostPages: boolean
  /** A listing left things out since the world last rested: they may be unknown until the next complete look. */
  lied: boolean
  /** A side was mirrored while it could not be written. */
  wasSealed: boolean
  /** The last run was lied to. */
  wasBlind: boolean
  /** What the next run's listings leave out: a whole side, or one item that is there when it is asked for. */
  lie: { readonly side: SideName; readonly omits: string | undefined } | undefined
  /** What happens at the nth call of the next run. */
  trap: { readonly at: number; readonly does: () => void | Promise<void>; readonly when: 'before' | 'after' } | undefined
  /** The plan that was held last. */
  heldPlan: string | undefined
  /** Items as users left them since both sides last agreed, by key. */
  readonly pending: Map<string, Set<SideName>>
  readonly userSays: Map<string, { readonly side: SideName; readonly fields: Fields | undefined }>
  /** What the destination of a one-way flow holds by somebody else's doing. */
  readonly touchedB: Set<string>
  readonly odd: Map<string, Oddity>
  readonly refused: Set<string>
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunEnd | 'killed'>
  readonly killSoon: (at: number, when: 'before' | 'after') => void
  readonly user: (side: SideName, key: string, edit: (before: Stored | undefined) => Fields | undefined) => void
  readonly say: (side: SideName, key: string, fields: Fields | undefined) => void
  readonly passTime: (ms: number) => void
}

/** Longer than any side is late. */
const horizonMs = 600_000

export const worldOf = (setup: Setup, { mutant, tally = new Map() }: { readonly mutant?: Mutant | undefined; readonly tally?: Tally } = {}): World => {
  const tap: Tap = { calls: 0, dead: false, at: async () => undefined }
  let now = 1_700_000_000_000
  let ids = 0
  let running = 0
  const wroteAt = { source: new Map<string, number>(), destination: new Map<string, number>() }
  const knowledge = knowledgeOf()
  const excuses = excusesInto(tally)
  const habits = (side: SideName) => (side === 'source' ? setup.a : setup.b)

  const rig: EngineRig = engineRig({
    direction: isTwoWay(setup) ? 'two-way' : 'one-way',
    connection: { strategy: setup.strategy, tie: setup.tie },
    flow: { ...(setup.pairedAbove === undefined ? {} : { kind: 'row' }), deleteWins: setup.deleteWins, drift: setup.drift, horizonMs: setup.lateMs === undefined ? 0 : horizonMs, ...(mutant?.flow ?? {}), ...(setup.readOnly === undefined ? {} : { readOnly: setup.readOnly }) },
    a: setup.a,
    b: { ...setup.b, ...(setup.way === 'streamed' || setup.way === 'beside' ? { transactional: true } : {}) },
    wrap: (name, side) => {
      const late = setup.lateMs === undefined ? side : lateSide(side, wroteAt[name], setup.lateMs, () => now)
      const truth = commits.watchSide(knowledge.watch(name, lying(name, late)))
      return tapSide(tap, mutant?.side?.(name, truth) ?? truth)
    },
  })
  const store = (side: SideName): MemoryStore => (side === 'source' ? rig.a : rig.b)
  const lying = (name: SideName, side: Side): Side => {
    if (world.lie?.side !== name) return side
    const told = (): void => {
      world.lied = true
      world.wasBlind = true
    }
    const { omits } = world.lie
    return omits === undefined ? nothingListed(side, told) : oneOmitted(side, (id) => store(name).get(id)?.key === omits, told)
  }

  const noBase = new Set<string>()
  const commits = commitJudge({
    state: rig.state, store, knowledge, excuses,
    remembered: () => rememberedBy(world),
    followed: isTwoWay(setup) ? sideNames : ['source'],
    ignores: () => setup.readOnly === 'ignore' && sideNames.some((side) => store(side).mischief.readOnly),
    isLeftOut: (side, key) => world.wasBlind && world.lie?.side === side && (world.lie.omits ?? key) === key,
    hashAt: (side, fields) => hashOf(mutant?.sees?.(side, fields) ?? fields),
  })
  const writes = judgeOf({
    store, knowledge, excuses, noBase,
    archived: rig.archived,
    isVersioned: (side) => habits(side).versions !== 'none',
    isMirror: setup.readOnly === 'revert',
  })
  const own: Ports = {
    ...rig.ports,
    clock: { ...rig.ports.clock, now: () => (now += 1), monotonic: () => now },
    random: { next: () => 0.5, ulid: (at) => `01${String(at).padStart(14, '0')}`.padEnd(26, '0'), token: () => `token-${ids++}` },
    state: commits.watchState(rig.state),
    ...(setup.pairedAbove === undefined ? {} : { pairedAbove: setup.pairedAbove }),
  }
  const ports = (): Ports => tapPorts(tap, mutant?.ports?.(own, rig) ?? own)

  /** What a listing left out, and nothing brought since, is nobody's yet. */
  const noteHidden = ({ side, omits }: NonNullable<World['lie']>): void => {
    const linked = new Set(linksOf(world).map(({ idA, idB }) => (side === 'source' ? idA : idB)))
    for (const { remoteId, key } of store(side).all()) {
      if (linked.has(remoteId)) continue
      world.odd.set(key, 'a listing left it out before it was linked')
      // Gone from the source, and denied by its destination when asked for it: both absent, so forgotten (T01; SYNC.md §A.3, D D).
      if (side === 'destination' && omits === undefined) world.touchedB.add(key)
    }
  }

  const world: World = {
    setup, rig, store, excuses, noBase,
    lostPages: false, lied: false, wasSealed: false, wasBlind: false, lie: undefined, trap: undefined, heldPlan: undefined,
    pending: new Map(), userSays: new Map(), touchedB: new Set(), odd: new Map(), refused: new Set(),
    passTime: (ms) => void (now += ms),
    killSoon: (at, when) => {
      world.trap = { at, when, does: () => { tap.dead = true; throw new Broken() } }
    },
    say: (side, key, fields) => {
      world.userSays.set(key, { side, fields })
      world.pending.set(key, (world.pending.get(key) ?? new Set()).add(side))
      // Where links are known to be missing none is a base for a delete until the next complete look (SYNC.md §0 rule 7).
      if (fields === undefined && world.lostPages) world.odd.set(key, 'its base was lost')
      if (side === 'destination') world.touchedB.add(key)
    },
    user: (side, key, edit) => {
      const [item, ...others] = store(side).byKey(key)
      if (others.length > 0) world.odd.set(key, 'it was edited while several shared its identity')
      const fields = edit(item)
      if (fields === undefined) store(side).removeKey(key)
      else store(side).put({ key, fields, ...(item !== undefined ? { remoteId: item.remoteId } : setup.pairedAbove !== undefined ? { remoteId: key } : {}) })
      world.say(side, key, fields)
      if (running === 0) now += 240_000
    },
    sync: async (item = {}) => {
      const { trap, lie } = world
      world.trap = undefined
      now += 1_000
      tap.calls = 0
      if (running === 0) {
        tap.dead = false
        world.wasBlind = false
        knowledge.begin(linksOf(world))
        commits.begin()
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
      world.lie = undefined
      commits.judge()
      const applied = writes.judge()
      if (world.wasBlind && lie !== undefined) noteHidden(lie)
      if (killed || !isClean(end)) {
        // Written, perhaps not remembered: from then on it looks like somebody's own edit of that side (SYNC.md §A.6).
        for (const { side, key } of applied) {
          world.odd.set(key, 'a write of it was not remembered')
          if (side === 'destination') world.touchedB.add(key)
        }
      }
      if (killed) return 'killed'
      const bug = end.result.flows.find(({ error }) => error?.is === 'bug')
      if (bug !== undefined) throw new Violation(`a bug: ${bug.error?.message}`)
      const plan = end.result.outcome === 'held' ? end.result.flows[0]?.plan : undefined
      world.heldPlan = plan ?? world.heldPlan
      if (mutant?.approvesAll !== true || plan === undefined || item.approved === plan || item.dryRun === true) return end
      world.lie = lie
      return world.sync({ ...item, approved: plan })
    },
  }
  return world
}

export const isClean = (end: RunEnd | 'killed'): boolean =>
  end !== 'killed' && end.judgement.is === 'settled' && end.result.outcome === 'succeeded' && end.result.dryRun !== true && end.result.flows.every(({ warnings }) => (warnings ?? []).length === 0)
