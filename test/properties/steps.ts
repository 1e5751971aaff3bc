/** What may happen to a connection, as data that can be printed and played again: users' edits, mischief, crashes, syncs. */
import fc from 'fast-check'
import type { SideName } from './side-names.ts'

export type Step =
  | { readonly do: 'put'; readonly side: SideName; readonly key: string; readonly field: string; readonly value: string }
  | { readonly do: 'delete' | 'touch' | 'rename' | 'twin' | 'spoil' | 'refuse' | 'omit'; readonly side: SideName; readonly key: string }
  | { readonly do: 'rekey'; readonly side: SideName; readonly key: string; readonly to: string }
  | { readonly do: 'sync'; readonly full?: true; readonly dry?: true; readonly approve?: true }
  | { readonly do: 'crash'; readonly at: number; readonly when: 'before' | 'after' }
  | { readonly do: 'overtake'; readonly at: number }
  | { readonly do: 'meddle'; readonly at: number; readonly side: SideName; readonly key: string; readonly value: string | null }
  | { readonly do: 'failWrites' | 'loseAnswers' | 'failReads'; readonly side: SideName; readonly n: number }
  | { readonly do: 'expire' | 'readOnly' | 'amnesia'; readonly side: SideName }
  | { readonly do: 'loseCommit' | 'lateCommit' | 'dropCheckpoint' | 'dropLedger' | 'resolver' | 'quiesce' | 'sameAgain' }

const side = fc.constantFrom<SideName>('source', 'destination')
const key = fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5')
const when = fc.constantFrom('before' as const, 'after' as const)
const at = fc.nat({ max: 14 })
const n = fc.integer({ min: 1, max: 3 })
/** Drawn from so many that two are hardly ever the same, so that a value tells whose it is. */
const value = fc.noShrink(fc.nat({ max: 999_999 }).map((drawn) => `v${drawn}`))

const does = <Name extends string>(...names: ReadonlyArray<Name>) => fc.constantFrom(...names)

const sync = fc.oneof(
  { weight: 16, arbitrary: fc.constant<Step>({ do: 'sync' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'sync', full: true }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'sync', dry: true }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'sync', approve: true }) },
)

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ do: does('put'), side, key, field: fc.constantFrom('FN', 'TEL', 'CATEGORIES'), value }) },
  { weight: 8, arbitrary: fc.record({ do: does('delete'), side, key }) },
  { weight: 5, arbitrary: fc.record({ do: does('touch', 'rename', 'twin', 'spoil'), side, key }) },
  { weight: 1, arbitrary: fc.record({ do: does('rekey'), side, key, to: key }) },
  { weight: 25, arbitrary: sync },
  { weight: 7, arbitrary: fc.record({ do: does('crash'), at, when }) },
  { weight: 2, arbitrary: fc.record({ do: does('overtake'), at }) },
  { weight: 4, arbitrary: fc.record({ do: does('meddle'), at, side, key, value: fc.option(value) }) },
  { weight: 5, arbitrary: fc.record({ do: does('failWrites', 'loseAnswers', 'failReads'), side, n }) },
  { weight: 3, arbitrary: fc.record({ do: does('refuse', 'refuse', 'omit'), side, key }) },
  { weight: 5, arbitrary: fc.record({ do: does('expire', 'expire', 'readOnly', 'amnesia'), side }) },
  { weight: 6, arbitrary: fc.record({ do: does('loseCommit', 'lateCommit', 'dropCheckpoint', 'dropLedger', 'resolver', 'sameAgain') }) },
  { weight: 3, arbitrary: fc.record({ do: does('quiesce') }) },
)

export const sequences = (maxLength: number): fc.Arbitrary<ReadonlyArray<Step>> => fc.array(steps, { maxLength, size: 'max' })
