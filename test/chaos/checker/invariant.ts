/** Knows the shape of what an invariant of SYNC.md §F.5 finds in a history. */
import type { HistoryRecord } from '../history.ts'
import type { Story } from './story.ts'

export type InvariantName = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12'

/** `trace`: the fewest records that show it. */
export type Violation = { readonly message: string; readonly trace: ReadonlyArray<HistoryRecord> }

/** `checked`: observations that could have been a violation and were looked at. */
export type Found = { readonly checked: number; readonly violations: ReadonlyArray<Violation> }

export type Invariant = { readonly name: InvariantName; readonly says: string; readonly judge: (story: Story) => Found }
