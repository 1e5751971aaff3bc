/**
 * Knows how what two sides showed and what was remembered come together, one entry per identity (SYNC.md §A.2, T11–T15).
 * Does not know what follows: plan.ts does.
 */
import type { Link } from '#libs/domain/link.ts'
import { classify, rememberedOf, type Observation, type SideClass, type SideName } from './classify.ts'
import { observe } from './observe.ts'
import { identity, isUnsure, type Links, type Sighting } from './sighting.ts'

export type Entry = {
  readonly key: string
  readonly linkKey: string
  readonly link: Link | undefined
  readonly a: SideClass
  readonly b: SideClass
}

export const gather = (keyOf: (key: string) => string, links: Links, a: Sighting, b: Sighting): ReadonlyArray<Entry> => {
  const left = observe(links, 'source', a)
  const right = observe(links, 'destination', b)
  const entries: Array<Entry> = []
  const keys = new Set([...left.keys(), ...right.keys()])
  const byKey = new Map<string, Link>()
  for (const link of links.values()) {
    byKey.set(identity(link.key), link)
    // A listing says something about every link, mentioned or not.
    if (a.coverage === 'listing' || b.coverage === 'listing') keys.add(identity(link.key))
  }
  for (const key of keys) {
    const link = byKey.get(key)
    entries.push({
      key,
      linkKey: keyOf(key),
      link,
      a: classify(link, 'source', left.get(key) ?? unmentioned(link, 'source', a)),
      b: classify(link, 'destination', right.get(key) ?? unmentioned(link, 'destination', b)),
    })
  }
  return entries
}

const unmentioned = (link: Link | undefined, side: SideName, sighting: Sighting): Observation => {
  if (sighting.coverage === 'delta' || isUnsure(link, side, sighting.unsureAfter)) return { is: 'silent' }
  return rememberedOf(link, side).id === undefined ? { is: 'silent' } : { is: 'gone', by: 'listing' }
}
