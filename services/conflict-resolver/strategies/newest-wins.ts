/**
 * Knows "the later change wins", as far as two clocks can be compared; otherwise the source wins, whichever side is
 * looked at first. SYNC.md §A.3, column N.
 */
import { takeWhole } from '../conflict.ts'
import type { Conflict, SideName, Strategy } from '../conflict.ts'
import { instantMs } from '../instant.ts'
import { sourceWins } from './source-wins.ts'

/** Two machines' clocks may differ by this much; nearer changes count as simultaneous (SYNC.md §A.3). */
export const skewMs = 60_000

export const newestWins: Strategy = (conflict, rules) => {
  const later = laterSide(conflict)
  if (later === 'no-trusted-time' || later === 'within-skew') {
    const ruling = sourceWins(conflict, rules)
    return takeWhole(conflict, ruling.take === 'destination' ? 'destination' : 'source', `${later}, ${ruling.rule}`)
  }
  return takeWhole(conflict, later, 'newest-wins')
}

const laterSide = ({ source, destination }: Conflict): SideName | 'no-trusted-time' | 'within-skew' => {
  const a = instantMs(source.is === 'present' ? source.modifiedAt : source.deletedAt)
  const b = instantMs(destination.is === 'present' ? destination.modifiedAt : destination.deletedAt)
  if (a === undefined || b === undefined) return 'no-trusted-time'
  if (Math.abs(a - b) <= skewMs) return 'within-skew'
  return a > b ? 'source' : 'destination'
}
