/**
 * All mischief off, then quiet syncs: the two sides must agree, the links must be the union of the ids, nothing may be
 * written any more, and a change that one side made alone must be what both show.
 */
import { hashOf } from '#libs/domain/record.ts'
import { contentOf, keysOf, afterSync } from './expectations.ts'
import { linksOf } from './ledger-of.ts'
import { Violation } from './violation.ts'
import { isClean, sideNames, type World } from './world.ts'

const most = 10

export const healAndCheck = async (world: World): Promise<void> => {
  heal(world)
  await settle(world, false)
  checkUnilateral(world)
  // What is parked, ignored or forgotten is tried again by a complete look, as a person would ask for it.
  if (await needsFullLook(world)) await settle(world, true)
  await checkAgreement(world)
  checkUnilateral(world)
  world.odd.clear()
  world.moved.clear()
  world.hidden.clear()
  world.lied = false
  world.wasReadOnly = false
  world.pending.clear()
  world.userSays.clear()
}

const heal = (world: World): void => {
  const { rig } = world
  world.trap = undefined
  world.amnesia = undefined
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
        world.odd.add(item.key)
      }
      else if (item.spoilt !== undefined) store.put({ key: item.key, remoteId: item.remoteId, fields: item.fields })
    }
  }
}

/** Syncs until two in a row are quiet and write nothing; a guard is answered by a person who looked. */
const settle = async (world: World, full: boolean): Promise<void> => {
  let quiet = 0
  let approved: string | undefined
  const story: Array<string> = []
  for (let run = 0; run < most && quiet < 2; run++) {
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


const needsFullLook = async (world: World): Promise<boolean> => {
  const links = await linksOf(world)
  return world.lostPages || world.lied || world.setup.readOnly === 'ignore' || world.setup.readOnly === 'revert' || links.some(({ st }) => st === 'parked')
}

const checkAgreement = async (world: World): Promise<void> => {
  // What the source no longer has cannot be asked for by its state: a streamed listing leaves such a link behind.
  const all = await linksOf(world)
  const links = all.filter(({ st, idA, key }) => st !== 'parked' || world.setup.way !== 'streamed' || (idA !== undefined && (world.rig.a.get(idA)?.key ?? '') === key) || (st === 'parked' && key.startsWith('!') && world.rig.a.get(idA ?? '') !== undefined))
  const aside = new Set(links.filter(({ st }) => st === 'conflict' || st === 'parked').map(({ key }) => key))
  const parked = links.filter(({ st }) => st === 'parked')
  if (parked.length > 0) throw new Violation(`still parked: ${JSON.stringify(parked)}`)
  if (aside.size > 0 && world.setup.strategy !== 'manual') throw new Violation(`held without a reason: ${[...aside].join(' ')}`)
  const oneWay = world.setup.way !== 'two-way'
  for (const key of keysOf(world)) {
    const [a, b] = [contentOf(world, 'source', key), contentOf(world, 'destination', key)]
    if (a === b || aside.has(key) || (links.length < all.length && all.some((link) => link.key === key && !links.includes(link)))) continue
    if (oneWay && (world.touchedB.has(key) || world.odd.has(key) || world.setup.strategy === 'destination-wins')) continue
    throw new Violation(`I3: the sides differ on ${key}: ${a ?? 'nothing'} and ${b ?? 'nothing'}`)
  }
  checkLinks(world, links, aside)
}

const checkLinks = (world: World, links: Awaited<ReturnType<typeof linksOf>>, aside: ReadonlySet<string>): void => {
  const idsA = new Set(links.flatMap(({ idA }) => idA ?? []))
  const idsB = new Set(links.flatMap(({ idB }) => idB ?? []))
  for (const { remoteId, key } of world.store('source').all()) if (!idsA.has(remoteId) && !aside.has(key)) throw new Violation(`no link for ${key} of the source`)
  if (world.setup.way !== 'two-way') return
  for (const { remoteId, key } of world.store('destination').all()) if (!idsB.has(remoteId) && !aside.has(key)) throw new Violation(`no link for ${key} of the destination`)
  for (const { key, idA, idB } of links) {
    if (aside.has(key)) continue
    if (idA === undefined || idB === undefined || world.rig.a.get(idA)?.key !== key || world.rig.b.get(idB)?.key !== key) throw new Violation(`a link to nothing: ${key}`)
  }
}

/** A change made on one side alone since both agreed is what both show; nothing else may have come in between. */
const checkUnilateral = (world: World): void => {
  for (const [key, sides] of world.pending) {
    const said = world.userSays.get(key)
    if (sides.size !== 1 || said === undefined || world.odd.has(key) || world.noBase.has(key)) continue
    if (world.setup.way !== 'two-way' && said.side === 'destination') continue
    if (world.wasReadOnly && world.setup.readOnly !== 'error') continue
    const expected = said.fields === undefined ? undefined : hashOf(said.fields)
    const now = contentOf(world, said.side, key)
    if (now !== expected) throw new Violation(`I1: ${key} was ${said.fields === undefined ? 'deleted' : `edited to ${JSON.stringify(said.fields)}`} at the ${said.side} alone, and is ${JSON.stringify(world.store(said.side).byKey(key)[0]?.fields)} there now`)
  }
}
void afterSync
