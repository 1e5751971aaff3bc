/** What must be true after each sync, and what is remembered for the end. */
import { hashOf } from '#libs/domain/record.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import { linksOf } from './ledger-of.ts'
import { Violation } from './violation.ts'
import { isClean, sideNames, type SideName, type World } from './world.ts'

/** One content, by key, of a side that shows each key once. */
export const contentOf = (world: World, side: SideName, key: string): string | undefined => {
  const [item, ...more] = world.store(side).byKey(key)
  if (more.length > 0) return `several at the ${side}`
  return item === undefined ? undefined : hashOf(item.fields)
}

export const keysOf = (world: World): ReadonlySet<string> => new Set(sideNames.flatMap((side) => world.store(side).all().map(({ key }) => key)))

export const afterSync = async (world: World, end: RunEnd | 'killed', { dry = false, full = false } = {}): Promise<void> => {
  const { a, b } = world.rig.newWrites()
  if (dry && a + b > 0) throw new Violation('a dry run wrote')
  for (const [side, writes] of [['source', a], ['destination', b]] as const) {
    if (world.store(side).mischief.readOnly && writes > 0) throw new Violation(`the ${side} is read-only, and was written`)
  }
  if (world.setup.way !== 'two-way' && a > 0) throw new Violation('a one-way flow wrote to its source')
  // What has a whole link has a base again, however the run ended.
  if (world.noBase.size > 0) for (const { key, idA, idB } of await linksOf(world)) if (idA !== undefined && idB !== undefined) world.noBase.delete(key)
  if (!isClean(end) || world.wasBlind) return
  if (full) world.lostPages = false
  if (!world.lostPages) world.noBase.clear()
  const aside = new Set((await linksOf(world)).filter(({ st }) => st !== 'linked').map(({ key }) => key))
  for (const key of [...world.pending.keys()]) {
    if (aside.has(key) || sideNames.some((side) => world.store(side).byKey(key).some(({ spoilt }) => spoilt !== undefined))) continue
    if (contentOf(world, 'source', key) !== contentOf(world, 'destination', key)) continue
    world.pending.delete(key)
    world.touchedB.delete(key)
    // Touched after its link was lost, and agreed on: it has a link again.
    world.noBase.delete(key)
    world.odd.delete(key)
    world.moved.delete(key)
  }
}
