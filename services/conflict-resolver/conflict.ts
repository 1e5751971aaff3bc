/** Knows what two sides can disagree about and how a decision on it is said. Does not know who wins: the strategies do. */
import { canonicalJson } from '#libs/domain/json.ts'
import type { Json } from '#libs/domain/json.ts'
import type { FieldHashes, Fields, RecordKind } from '#libs/domain/record.ts'
import type { ConflictDecision, FieldProvenance } from '#libs/contracts/conflict.ts'

export type SideName = 'source' | 'destination'

/** `modifiedAt`, `deletedAt`: RFC 3339, present only when the side's clock may be trusted. */
export type Present = { readonly is: 'present'; readonly fields: Fields; readonly modifiedAt?: string }
export type Deleted = { readonly is: 'deleted'; readonly deletedAt?: string }

/** Named by what happened at the source, then at the destination. */
export type Conflict =
  | { readonly met: 'edit-edit'; readonly source: Present; readonly destination: Present; readonly base?: FieldHashes }
  | { readonly met: 'edit-delete'; readonly source: Present; readonly destination: Deleted }
  | { readonly met: 'delete-edit'; readonly source: Deleted; readonly destination: Present }

export type Rules = {
  readonly kind: RecordKind
  /** Whose value stands where nothing else decides. */
  readonly tie: SideName
  /** A deletion at the source beats an edit at the destination; SYNC.md §A.3 says for which strategies. */
  readonly deleteWins: boolean
}

export type Provenance = { readonly field: string; readonly rule: string; readonly winner: FieldWinner }
type FieldWinner = (typeof FieldProvenance._A)['winner']

/** The decision on one item, without its key. `take: source` where the source is deleted means: delete both. */
export type Ruling = {
  readonly take: ConflictDecision['take']
  readonly rule: string
  readonly fields?: Fields
  readonly provenance?: ReadonlyArray<Provenance>
}

export type Strategy = (conflict: Conflict, rules: Rules) => Ruling

/** One side's whole version stands; the provenance names every field in which the other differed. */
export const takeWhole = (conflict: Conflict, winner: SideName, rule: string): Ruling => {
  if (conflict.met !== 'edit-edit') return { take: winner, rule }
  const { source: { fields: a }, destination: { fields: b } } = conflict
  const provenance = namesOf(a, b).filter((field) => !isSame(valueIn(a, field), valueIn(b, field))).map((field) => ({ field, rule, winner }))
  return { take: winner, rule, provenance }
}

/** Own properties only: a field may be called `constructor`. */
export const valueIn = (fields: Fields, field: string): Json | undefined => (Object.hasOwn(fields, field) ? fields[field] : undefined)

export const isSame = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b)

/** Sorted, so that the same conflict gives the same answer whichever side is asked about first. */
export const namesOf = (...all: ReadonlyArray<{ readonly [name: string]: unknown }>): ReadonlyArray<string> =>
  [...new Set(all.flatMap((fields) => Object.keys(fields)))].sort()
