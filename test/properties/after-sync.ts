/** What must be true after each sync, and what is settled by it. */
import { hashOf } from '#libs/domain/record.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import { linksOf } from './ledger-of.ts'
import { isTwoWay } from './setup.ts'
import { sideNames, type SideName } from './side-names.ts'
import { Violation } from './violation.ts'
import { isClean, type World } from './world.ts'

/** One content, by key, of a side that shows each key once. */
export const contentAt = (world: World, side: SideName, key: string): string | undefined => {
  const [item, ...more] = world.store(side).byKey(key)
  if (more.length > 0) return `several at the ${side}`
  return item === undefined ? undefined : hashOf(item.fields)
}

export const afterSync = (world: World, end: RunEnd | 'killed', { dry = false, full = false } = {}): void => {
  const { a, b } = world.rig.newWrites()
  if (dry && a + b > 0) throw new Violation('a dry run wrote')
  for (const [side, writes] of [['source', a], ['destination', b]] as const) {
    if (world.store(side).mischief.readOnly && writes > 0) throw new Violation(`the ${side} is read-only, and was written`)
  }
  if (!isTwoWay(world.setup) && a > 0) throw new Violation('a one-way flow wrote to its source')
  const links = linksOf(world)
  // What has a whole link has a base again, however the run ended.
  for (const { key, idA, idB } of links) if (idA !== undefined && idB !== undefined) world.noBase.delete(key)
  if (!isClean(end) || world.wasBlind) return
  if (full) world.lostPages = false
  if (!world.lostPages) world.noBase.clear()
  const linked = new Set(links.flatMap(({ st, key }) => (st === 'linked' ? [key] : [])))
  const isSettled = (key: string): boolean =>
    contentAt(world, 'source', key) === contentAt(world, 'destination', key)
    && (linked.has(key) || contentAt(world, 'source', key) === undefined)
    && !sideNames.some((side) => world.store(side).byKey(key).some(({ spoilt }) => spoilt !== undefined))
  // Both show the same, and the engine knows: whatever went before is over.
  for (const key of new Set([...world.pending.keys(), ...world.odd.keys(), ...world.touchedB])) {
    if (!isSettled(key)) continue
    world.pending.delete(key)
    world.userSays.delete(key)
    world.touchedB.delete(key)
    world.odd.delete(key)
    world.noBase.delete(key)
  }
}
