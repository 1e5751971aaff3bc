/**
 * The world at rest (SYNC.md §F.5, I1 and I3): both sides agree, the links are the union of the ids, and a change that one
 * side made alone is what both show.
 */
import type { Link } from '#libs/domain/link.ts'
import { hashOf } from '#libs/domain/record.ts'
import { contentAt } from './after-sync.ts'
import { linksOf } from './ledger-of.ts'
import { isTwoWay } from './setup.ts'
import { sideNames } from './side-names.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

export const checkAgreement = (world: World): void => {
  const links = linksOf(world)
  const parked = links.filter(({ st }) => st === 'parked')
  if (parked.length > 0) throw new Violation(`still parked: ${JSON.stringify(parked)}`)
  const held = new Set(links.flatMap(({ st, key }) => (st === 'conflict' ? [key] : [])))
  if (held.size > 0 && world.setup.strategy !== 'manual') throw new Violation(`held without a reason: ${[...held].join(' ')}`)
  for (const key of new Set(sideNames.flatMap((side) => world.store(side).all().map((item) => item.key)))) {
    const [a, b] = [contentAt(world, 'source', key), contentAt(world, 'destination', key)]
    const why = held.has(key) ? 'held for a person' : leftAlone(world, key, a)
    if (world.excuses.waives('I3', a === b ? undefined : why) || a === b) continue
    throw new Violation(`I3: the sides differ on ${key}: ${a ?? 'nothing'} and ${b ?? 'nothing'}`)
  }
  checkLinks(world, links, held)
}

/** What a one-way flow leaves as it is at its destination (SYNC.md §A.3, last column): only what somebody else did there. */
const leftAlone = ({ setup, touchedB }: World, key: string, a: string | undefined): string | undefined => {
  if (isTwoWay(setup) || !touchedB.has(key)) return undefined
  if (a === undefined) return "the destination's own"
  if (setup.drift === 'ignore') return 'drift, which this flow ignores'
  // It looks at a row of its destination only when the source changed it.
  if (setup.way === 'streamed') return 'drift, which a stream does not see'
  return setup.strategy === 'source-wins' ? undefined : 'a conflict that was decided for the destination'
}

const checkLinks = (world: World, links: ReadonlyArray<Link>, held: ReadonlySet<string>): void => {
  const idsA = new Set(links.flatMap(({ idA }) => idA ?? []))
  const idsB = new Set(links.flatMap(({ idB }) => idB ?? []))
  for (const { remoteId, key } of world.store('source').all()) if (!idsA.has(remoteId) && !held.has(key)) throw new Violation(`no link for ${key} of the source`)
  if (!isTwoWay(world.setup)) return
  for (const { remoteId, key } of world.store('destination').all()) if (!idsB.has(remoteId) && !held.has(key)) throw new Violation(`no link for ${key} of the destination`)
  for (const { key, idA, idB } of links) {
    if (held.has(key)) continue
    if (idA === undefined || idB === undefined || world.rig.a.get(idA)?.key !== key || world.rig.b.get(idB)?.key !== key) throw new Violation(`a link to nothing: ${key}`)
  }
}

/** A change made on one side alone since both agreed is what both show; nothing else may have come in between. */
export const checkUnilateral = (world: World): void => {
  const { setup } = world
  for (const [key, sides] of world.pending) {
    const said = world.userSays.get(key)
    // Edited on both sides: which one wins is the strategy's, and that the other is in the archive was judged as it was written.
    if (sides.size !== 1 || said === undefined) continue
    // One-way: what is done at the destination is not carried back.
    if (!isTwoWay(setup) && said.side === 'destination') continue
    const mirrored = world.wasSealed && setup.readOnly === 'revert' ? 'a side was mirrored while the other was sealed (T17)' : undefined
    if (world.excuses.waives('I1 unilateral', world.odd.get(key) ?? mirrored)) continue
    const expected = said.fields === undefined ? undefined : hashOf(said.fields)
    const now = contentAt(world, said.side, key)
    if (now !== expected) throw new Violation(`I1: ${key} was ${said.fields === undefined ? 'deleted' : `edited to ${JSON.stringify(said.fields)}`} at the ${said.side} alone, and is ${JSON.stringify(world.store(said.side).byKey(key)[0]?.fields)} there now`)
  }
}
