/**
 * Knows how an item that is parked or in conflict is remembered, and whether it is still the same trouble. Pure.
 */
import type { Link } from '#libs/domain/link.ts'
import type { SideClass } from './classify.ts'
import type { Entry } from './gather.ts'
import { contentOf } from './targets.ts'

/**
 * The link of an item set aside. The base stays what it was; versions move on, so that a listing does not fetch it again;
 * `seenA`/`seenB` tell whether it is still the same trouble.
 */
export const setAside = (entry: Entry, st: 'parked' | 'conflict', why: string): Link => {
  const { link, a, b } = entry
  const idA = idNow(a) ?? link?.idA
  const idB = idNow(b) ?? link?.idB
  const verA = versionNow(a, link?.verA)
  const verB = versionNow(b, link?.verB)
  return {
    ...(link ?? {}),
    key: entry.key,
    st,
    why: why.slice(0, 300),
    ...(idA === undefined ? {} : { idA }),
    ...(idB === undefined ? {} : { idB }),
    ...(verA === undefined ? {} : { verA }),
    ...(verB === undefined ? {} : { verB }),
    seenA: seenNow(a),
    seenB: seenNow(b),
  }
}

/** True while a parked or conflicting item shows what it showed when it was set aside. */
export const stillTheSame = (entry: Entry): boolean => {
  const { link } = entry
  if (link === undefined || (link.st !== 'parked' && link.st !== 'conflict')) return false
  return quiet(entry.a, link.seenA) && quiet(entry.b, link.seenB)
}

const quiet = (side: SideClass, seen: string | undefined): boolean =>
  side.is === 'unchanged' || side.is === 'never' || seenNow(side) === seen

const seenNow = (side: SideClass): string => {
  switch (side.is) {
    case 'changed':
      return side.hash
    case 'bad':
      return `bad:${side.remoteId}:${side.why}`.slice(0, 120)
    case 'deleted':
      return 'deleted'
    case 'never':
    case 'unchanged':
      return ''
  }
}

const idNow = (side: SideClass): string | undefined => {
  switch (side.is) {
    case 'changed':
      return side.item.remoteId
    case 'unchanged':
    case 'bad':
      return side.remoteId
    case 'never':
    case 'deleted':
      return undefined
  }
}

const versionNow = (side: SideClass, known: string | null | undefined): string | null | undefined => contentOf(side)?.version ?? known
