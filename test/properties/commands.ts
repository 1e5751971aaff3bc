/** What may happen to a connection, as fast-check commands: users' edits, mischief, crashes, and syncs in between. */
import fc from 'fast-check'
import { healAndCheck } from './heal.ts'
import { afterSync } from './expectations.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { conn, flow, linksOf } from './ledger-of.ts'
import type { SideName, World } from './world.ts'

export type Step =
  | { readonly do: 'put'; readonly side: SideName; readonly key: string; readonly field: string; readonly value: string }
  | { readonly do: 'delete' | 'touch' | 'rename' | 'twin' | 'spoil'; readonly side: SideName; readonly key: string }
  | { readonly do: 'rekey'; readonly side: SideName; readonly key: string; readonly to: string }
  | { readonly do: 'sync'; readonly full?: true; readonly dry?: true }
  | { readonly do: 'crash'; readonly at: number; readonly when: 'before' | 'after' }
  | { readonly do: 'overtake'; readonly at: number }
  | { readonly do: 'meddle'; readonly at: number; readonly side: SideName; readonly key: string; readonly value: string | null }
  | { readonly do: 'failWrites' | 'loseAnswers' | 'failReads'; readonly side: SideName; readonly n: number }
  | { readonly do: 'refuse' ; readonly side: SideName; readonly key: string }
  | { readonly do: 'expire' | 'readOnly' | 'amnesia'; readonly side: SideName }
  | { readonly do: 'loseCommit' | 'lateCommit' | 'dropCheckpoint' | 'dropLedger' | 'resolver' | 'quiesce' | 'sameAgain' }

const side = fc.constantFrom<SideName>('source', 'destination')
const key = fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5')
const when = fc.constantFrom('before' as const, 'after' as const)
const at = fc.nat({ max: 14 })
const n = fc.integer({ min: 1, max: 3 })

let values = 0
const value = fc.constant(null).map(() => `v${(values += 1)}`)

const put = fc.record({ do: fc.constant('put' as const), side, key, field: fc.constantFrom('FN', 'TEL', 'CATEGORIES'), value })
const sync = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'sync' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'sync', full: true }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'sync', dry: true }) },
)

export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: put },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('delete' as const), side, key }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('touch' as const, 'rename' as const, 'twin' as const, 'spoil' as const), side, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rekey' as const), side, key, to: key }) },
  { weight: 24, arbitrary: sync },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('crash' as const), at, when }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('overtake' as const), at }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('meddle' as const), at, side, key, value: fc.option(value) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('failWrites' as const, 'loseAnswers' as const, 'failReads' as const), side, n }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refuse' as const), side, key }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'expire' as const, 'readOnly' as const, 'amnesia' as const), side }) },
  { weight: 6, arbitrary: fc.constantFrom<Step>({ do: 'loseCommit' }, { do: 'lateCommit' }, { do: 'dropCheckpoint' }, { do: 'dropLedger' }, { do: 'resolver' }, { do: 'sameAgain' }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'quiesce' }) },
)

/** The model is the world itself: it remembers what users did, and judges. */
export class Command implements fc.AsyncCommand<World, World> {
  readonly step: Step
  constructor(step: Step) {
    this.step = step
  }
  check(): boolean {
    return true
  }
  run(_: World, world: World): Promise<void> {
    return carryOut(world, this.step)
  }
  toString(): string {
    return JSON.stringify(this.step)
  }
}

export const carryOut = async (world: World, step: Step): Promise<void> => {
  const { rig, setup } = world
  const isWeak = (name: SideName): boolean => (name === 'source' ? setup.a : setup.b).versions === 'none' || (name === 'source' ? setup.a : setup.b).silentWrites === true
  const anyWeak = isWeak('source') || isWeak('destination') || setup.lateMs !== undefined
  // Against a side that shows writes late, a write that was not remembered looks like a deletion for that long.
  if (setup.lateMs !== undefined && forgets.has(step.do)) return
  switch (step.do) {
    case 'put':
      return world.user(step.side, step.key, (before) => ({ ...(before?.fields ?? {}), [step.field]: step.field === 'CATEGORIES' ? [step.value] : step.value }))
    case 'delete':
      return world.user(step.side, step.key, () => undefined)
    case 'touch': case 'rename': case 'twin': case 'spoil':
      return disturb(world, step.do, step.side, step.key)
    case 'rekey': {
      const [item] = world.store(step.side).byKey(step.key)
      if (item === undefined || world.store(step.side).byKey(step.to).length > 0) return
      world.odd.add(step.key).add(step.to)
      if (step.side === 'destination') world.touchedB.add(step.key).add(step.to)
      world.store(step.side).put({ key: step.to, fields: item.fields, remoteId: item.remoteId })
      return
    }
    case 'sync':
      if (step.dry === true) world.trap = undefined
      return afterSync(world, await world.sync({ ...(step.full === true ? { mode: 'full' } : {}), ...(step.dry === true ? { dryRun: true } : {}) }), step)
    case 'sameAgain': {
      const item = { run: world.rig.ports.random.ulid(1) as never, trigger: 'the same' }
      await afterSync(world, await world.sync(item))
      return afterSync(world, await world.sync(item))
    }
    case 'crash':
      return world.killSoon(step.at, step.when)
    case 'overtake':
      // Against a side without preconditions a late write cannot be stopped: the documented limit of SYNC.md §A.6.
      if (!anyWeak) world.trap = { at: step.at, when: 'before', does: async () => {
        rig.state.advance(40_000)
        await world.sync()
      } }
      return
    case 'meddle':
      if (!anyWeak) world.trap = { at: step.at, when: 'before', does: () => world.user(step.side, step.key, () => (step.value === null ? undefined : { FN: step.value })) }
      return
    case 'failWrites': case 'loseAnswers': case 'failReads':
      world.store(step.side).mischief[step.do] = step.n
      return
    case 'refuse':
      world.store(step.side).mischief.refuseKeys.add(step.key)
      world.odd.add(step.key)
      return
    case 'expire':
      return world.store(step.side).expireCursors()
    case 'readOnly':
      world.wasReadOnly = true
      return void (world.store(step.side).mischief.readOnly = !world.store(step.side).mischief.readOnly)
    case 'amnesia':
      world.amnesia = step.side
      world.lied = true
      for (const { key: there } of world.store(step.side).all()) {
        world.odd.add(there)
        world.hidden.add(there)
        if (step.side === 'destination') world.touchedB.add(there)
      }
      return
    case 'loseCommit':
      return void (rig.state.mischief.loseAnswer = true)
    case 'lateCommit':
      return void (rig.state.mischief.delayWrite = true)
    case 'resolver':
      return void (rig.resolver.up = !rig.resolver.up)
    case 'dropCheckpoint': case 'dropLedger':
      return lose(world, step.do)
    case 'quiesce':
      return healAndCheck(world)
  }
}

const disturb = (world: World, how: 'touch' | 'rename' | 'twin' | 'spoil', on: SideName, item: string): void => {
  const store = world.store(on)
  const [there] = store.byKey(item)
  if (there === undefined) return
  if (on === 'destination') world.touchedB.add(item)
  switch (how) {
    case 'touch':
      return store.touch(there.remoteId)
    case 'rename':
      world.moved.add(item)
      return store.rename(there.remoteId, `${there.remoteId}'`)
    case 'twin':
      world.odd.add(item)
      return void store.put({ key: item, remoteId: `twin-${there.remoteId}`, fields: { FN: `twin of ${there.remoteId}` } })
    case 'spoil':
      world.odd.add(item)
      return store.spoil(there.remoteId, 'garbled')
  }
}

const forgets: ReadonlySet<Step['do']> = new Set<Step['do']>(['crash', 'loseAnswers', 'loseCommit', 'lateCommit', 'dropCheckpoint', 'dropLedger'])

/** Only what had a link can lose it. */
const lose = async (world: World, what: 'dropCheckpoint' | 'dropLedger'): Promise<void> => {
  const { rig } = world
  for (const { key: linked } of await linksOf(world)) {
    world.odd.add(linked)
    world.noBase.add(linked)
    world.touchedB.add(linked)
  }
  if (world.setup.way === 'streamed') return void rig.b.ledgers.clear()
  if (what === 'dropCheckpoint') return rig.state.drop(stateKeys.checkpoint(conn, flow))
  world.lostPages = true
  for (let page = 0; page < 4; page++) rig.state.drop(stateKeys.page(conn, flow, page))
}
