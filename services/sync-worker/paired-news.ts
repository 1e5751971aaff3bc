/** Knows when what one side shows of an item is more than is remembered: a delta of that side would speak of it. Pure. */
import { isAside, stillTheSame } from './aside.ts'
import type { SideClass, SideName } from './classify.ts'
import type { Entry } from './gather.ts'
import { driftMark } from './targets.ts'

const notLookedAt: SideClass = { is: 'unchanged', remoteId: '', refresh: false, hash: undefined }

export const isNewsAt = (entry: Entry, side: SideName): boolean => {
  const { link } = entry
  // What is set aside never agreed with its base: news is what differs from then.
  if (link !== undefined && isAside(link)) return !stillTheSame(side === 'source' ? { ...entry, b: notLookedAt } : { ...entry, a: notLookedAt })
  if ((side === 'source' ? link?.seenA : link?.seenB) === driftMark(entry, side)) return false
  const { is } = side === 'source' ? entry.a : entry.b
  return is === 'changed' || is === 'deleted' || is === 'bad'
}
