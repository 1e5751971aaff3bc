/** All mischief off, then syncs until nothing moves any more; then the world at rest is judged (at-rest.ts). */
import { checkAgreement, checkUnilateral } from './at-rest.ts'
import { linksOf } from './ledger-of.ts'
import { sideNames } from './side-names.ts'
import { Violation } from './violation.ts'
import { isClean, type World } from './world.ts'

/** Runs until two in a row are quiet. */
const mostRuns = 10

export const healAndCheck = async (world: World): Promise<void> => {
  heal(world)
  await settle(world, false)
  checkUnilateral(world)
  // What is refused, ignored or was left out of a listing comes back by a complete look, as a person would ask for it.
  if (needsFullLook(world)) await settle(world, true)
  checkAgreement(world)
  checkUnilateral(world)
  for (const remembered of [world.odd, world.refused, world.pending, world.userSays]) remembered.clear()
  world.lied = false
  world.wasSealed = false
}

const heal = (world: World): void => {
  const { rig } = world
  world.trap = undefined
  world.lie = undefined
  rig.resolver.up = true
  rig.state.deliverLate()
  rig.state.mischief.loseAnswer = false
  rig.state.mischief.delayWrite = false
  rig.state.advance(40_000)
  world.passTime(1_200_000)
  for (const side of sideNames) {
    const store = world.store(side)
    Object.assign(store.mischief, { readOnly: false, failWrites: 0, loseAnswers: 0, failReads: 0 })
    store.mischief.refuseKeys.clear()
    for (const item of store.all()) {
      if (item.remoteId.startsWith('twin-')) {
        store.remove(item.remoteId)
        if (store.byKey(item.key).length === 0) world.say(side, item.key, undefined)
      }
      else if (item.spoilt !== undefined) store.put({ key: item.key, remoteId: item.remoteId, fields: item.fields })
    }
  }
}

/** A guard is answered by a person who looked. */
const settle = async (world: World, full: boolean): Promise<void> => {
  let quiet = 0
  let approved: string | undefined
  const story: Array<string> = []
  for (let run = 0; run < mostRuns && quiet < 2; run++) {
    const end = await world.sync({ ...(full && (run === 0 || approved !== undefined) ? { mode: 'full' } : {}), ...(approved === undefined ? {} : { approved }) })
    const { a, b } = world.rig.newWrites()
    if (end === 'killed') throw new Error('nobody kills here')
    approved = end.result.outcome === 'held' ? end.result.flows[0]?.plan : undefined
    const clean = isClean(end) && end.result.quiet
    quiet = clean && a + b === 0 ? quiet + 1 : 0
    story.push(`${end.judgement.is} ${end.result.outcome} a${a} b${b} ${JSON.stringify(end.result.flows[0]?.counts)} ${end.result.error?.message ?? ''}`)
    if (isClean(end)) {
      if (full) world.lostPages = false
      if (!world.lostPages) world.noBase.clear()
    }
  }
  if (quiet < 2) throw new Violation(`I4: after healing it does not come to rest:\n${story.join('\n')}`)
}

const needsFullLook = (world: World): boolean => {
  const links = linksOf(world)
  return world.lostPages || world.lied || (world.wasSealed && world.setup.readOnly !== 'error') || links.some(({ st, key }) => st === 'parked' && world.refused.has(key))
}
