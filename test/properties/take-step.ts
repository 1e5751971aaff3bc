/** What each step does to the world. */
import type { Stored } from '#libs/connectors/memory/store.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { afterSync } from './after-sync.ts'
import { healAndCheck } from './heal.ts'
import { conn, flow, linksOf } from './ledger-of.ts'
import type { SideName } from './side-names.ts'
import type { Step } from './steps.ts'
import type { World } from './world.ts'

export const takeStep = async (world: World, step: Step): Promise<void> => {
  const { rig, setup } = world
  // Against a side that shows writes late, a write that was not remembered looks like a deletion for that long.
  if (setup.lateMs !== undefined && forgets.has(step.do)) return
  if (setup.pairedAbove !== undefined && isNoRows.has(step.do)) return
  switch (step.do) {
    case 'put':
      return world.user(step.side, step.key, (before) => ({ ...(before?.fields ?? {}), [step.field]: step.field === 'CATEGORIES' ? [step.value] : step.value }))
    case 'delete':
      return world.user(step.side, step.key, () => undefined)
    case 'touch': case 'rename': case 'twin': case 'spoil':
      return disturb(world, step.do, step.side, step.key)
    case 'rekey':
      return rekey(world, step)
    case 'sync': {
      const { full, dry, approve } = step
      if (dry === true) world.trap = undefined
      // Who approves has looked at the plan, and would not believe an empty listing.
      if (approve === true) world.lie = undefined
      const end = await world.sync({
        ...(full === true ? { mode: 'full' } : {}),
        ...(dry === true ? { dryRun: true } : {}),
        ...(approve === true && world.heldPlan !== undefined ? { approved: world.heldPlan } : {}),
      })
      return afterSync(world, end, step)
    }
    case 'sameAgain': {
      const item = { run: rig.ports.random.ulid(1) as never, trigger: 'the same' }
      afterSync(world, await world.sync(item))
      return afterSync(world, await world.sync(item))
    }
    case 'crash':
      return world.killSoon(step.at, step.when)
    case 'overtake':
      if (!isAnyWeak(world)) world.trap = { at: step.at, when: 'before', does: async () => {
        rig.state.advance(40_000)
        await world.sync()
      } }
      return
    case 'meddle':
      if (!isAnyWeak(world)) world.trap = { at: step.at, when: 'before', does: () => world.user(step.side, step.key, () => (step.value === null ? undefined : { FN: step.value })) }
      return
    case 'failWrites': case 'loseAnswers': case 'failReads':
      world.store(step.side).mischief[step.do] = step.n
      return
    case 'refuse':
      world.store(step.side).mischief.refuseKeys.add(step.key)
      world.refused.add(step.key)
      return
    case 'expire':
      return world.store(step.side).expireCursors()
    case 'readOnly':
      world.wasSealed = true
      return void (world.store(step.side).mischief.readOnly = !world.store(step.side).mischief.readOnly)
    case 'amnesia': case 'omit':
      world.lie = { side: step.side, omits: step.do === 'omit' ? step.key : undefined }
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

/** A row is known by its key: neither its id nor its identity changes in place, and no two share one. */
const isNoRows: ReadonlySet<Step['do']> = new Set<Step['do']>(['rename', 'rekey', 'twin'])

const forgets: ReadonlySet<Step['do']> = new Set<Step['do']>(['crash', 'loseAnswers', 'loseCommit', 'lateCommit', 'dropCheckpoint', 'dropLedger'])

/** Against a side without preconditions a late write cannot be stopped: the documented limit of SYNC.md §A.6. */
const isAnyWeak = ({ setup: { a, b, lateMs } }: World): boolean => lateMs !== undefined || [a, b].some(({ versions, silentWrites }) => versions === 'none' || silentWrites === true)

const disturb = (world: World, how: 'touch' | 'rename' | 'twin' | 'spoil', on: SideName, key: string): void => {
  const store = world.store(on)
  const [there] = store.byKey(key)
  if (there === undefined) return
  // A stream keeps what it cannot read, or cannot tell apart, at its destination, as it keeps any edit there.
  const isForeign = on === 'destination' && world.setup.way === 'streamed'
  switch (how) {
    case 'touch':
      return store.touch(there.remoteId)
    case 'rename':
      if (there.spoilt !== undefined) noteUnknown(world, on, key)
      return store.rename(there.remoteId, `${there.remoteId}'`)
    case 'twin':
      if (isForeign) world.touchedB.add(key)
      return void store.put({ key, remoteId: `twin-${there.remoteId}`, fields: { FN: `twin of ${there.remoteId}` } })
    case 'spoil':
      if (isForeign) world.touchedB.add(key)
      if (hasMoved(world, on, there)) noteUnknown(world, on, key)
      return store.spoil(there.remoteId, 'garbled')
  }
}

/** Under its new id it is unreadable: to whoever looks it is gone, and somebody else's doing at the destination of a one-way flow. */
const noteUnknown = (world: World, on: SideName, key: string): void => {
  world.odd.set(key, 'it moved while it could not be read')
  if (on === 'destination') world.touchedB.add(key)
}

/** Linked under an id that it does not have any more: unreadable under the new one, nothing tells what it is. */
const hasMoved = (world: World, on: SideName, { key, remoteId }: Stored): boolean =>
  linksOf(world).some((link) => link.key === key && (on === 'source' ? link.idA : link.idB) !== remoteId)

/** Under another identity it is another item (T13): the old one was deleted, the new one was made. */
const rekey = (world: World, { side, key, to }: Extract<Step, { readonly do: 'rekey' }>): void => {
  const store = world.store(side)
  const [item, ...others] = store.byKey(key)
  if (item === undefined || store.byKey(to).length > 0) return
  if (others.length > 0) world.odd.set(key, 'it was edited while several shared its identity')
  store.put({ key: to, fields: item.fields, remoteId: item.remoteId })
  world.say(side, key, others[0]?.fields)
  world.say(side, to, item.fields)
}

/** Only what had a link can lose it. */
const lose = (world: World, what: 'dropCheckpoint' | 'dropLedger'): void => {
  const { rig } = world
  for (const { key } of linksOf(world)) {
    world.odd.set(key, 'its base was lost')
    world.noBase.add(key)
    world.touchedB.add(key)
  }
  if (world.setup.way === 'streamed') return void rig.b.ledgers.clear()
  for (const [name, ledger] of world.setup.way === 'beside' ? rig.b.ledgers : []) {
    if (ledger.checkpoint === null) continue
    if (what === 'dropCheckpoint') return void rig.b.ledgers.delete(name)
    world.lostPages = true
    return void rig.b.ledgers.set(name, { ...ledger, links: new Map() })
  }
  if (what === 'dropCheckpoint') return rig.state.drop(stateKeys.checkpoint(conn, flow))
  world.lostPages = true
  for (let page = 0; page < 4; page++) rig.state.drop(stateKeys.page(conn, flow, page))
}
