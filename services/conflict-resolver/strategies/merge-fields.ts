/**
 * Knows the three-way merge by field (SYNC.md §A.3): the base is a digest per field, enough to tell who changed what.
 * Without a base, sets are united, and a value that only one side has is kept. An edit beats a deletion.
 *
 * Laws, with b the base: merge(b,a,b)=a, merge(b,b,c)=c, merge(b,a,a)=a; m=merge(b,a,c) ⇒ merge(b,m,c)=m=merge(b,a,m),
 * so that a crash between the two writes does no harm.
 */
import { canonicalJson, isList } from '#libs/domain/json.ts'
import type { Json } from '#libs/domain/json.ts'
import { valueHash } from '#libs/domain/record.ts'
import type { FieldHashes, Fields } from '#libs/domain/record.ts'
import { isSame, namesOf, takeWhole, valueIn } from '../conflict.ts'
import type { Provenance, SideName, Strategy } from '../conflict.ts'

type FieldRuling = { readonly value: Json | undefined; readonly rule: string; readonly winner: Provenance['winner'] }
type FieldHash = FieldHashes[string]

export const mergeFields: Strategy = (conflict, { tie }) => {
  switch (conflict.met) {
    case 'edit-edit': {
      const { fields, provenance } = mergedFields(conflict.base, conflict.source.fields, conflict.destination.fields, tie)
      return { take: 'merged', rule: conflict.base === undefined ? 'merge-without-base' : 'merge', fields, provenance }
    }
    // What was edited on one side and deleted on the other comes back.
    case 'edit-delete':
      return takeWhole(conflict, 'source', 'edit-wins')
    case 'delete-edit':
      return takeWhole(conflict, 'destination', 'edit-wins')
  }
}

export const mergedFields = (base: FieldHashes | undefined, a: Fields, b: Fields, tie: SideName): { readonly fields: Fields; readonly provenance: ReadonlyArray<Provenance> } => {
  const kept: Array<readonly [string, Json]> = []
  const provenance: Array<Provenance> = []
  for (const field of namesOf(a, b)) {
    const [left, right] = [valueIn(a, field), valueIn(b, field)]
    const known = base === undefined ? undefined : { hash: Object.hasOwn(base, field) ? base[field] : undefined }
    const ruling = isSameContent(left, right) ? undefined : mergedField(known, left, right, tie)
    const value = ruling === undefined ? left : ruling.value
    if (value !== undefined) kept.push([field, value])
    if (ruling !== undefined) provenance.push({ field, rule: ruling.rule, winner: ruling.winner })
  }
  return { fields: Object.fromEntries(kept), provenance }
}

/** `known`: what the base has there; its `hash` is absent when the base has no such field. */
const mergedField = (known: { readonly hash: FieldHash | undefined } | undefined, a: Json | undefined, b: Json | undefined, tie: SideName): FieldRuling => {
  if (known !== undefined) {
    if (isBase(b, known.hash)) return { value: a, rule: 'changed-at-source', winner: 'source' }
    if (isBase(a, known.hash)) return { value: b, rule: 'changed-at-destination', winner: 'destination' }
  }
  if (known === undefined && a === undefined) return { value: b, rule: 'only-at-destination', winner: 'destination' }
  if (known === undefined && b === undefined) return { value: a, rule: 'only-at-source', winner: 'source' }
  const sets = { a: a ?? [], b: b ?? [] }
  if (isList(sets.a) && isList(sets.b)) {
    const value = mergedSet(typeof known?.hash === 'object' ? known.hash : [], sets.a, sets.b)
    // An empty list and no such field are two things: where a side has none, none is left.
    const isNone = value.length === 0 && (a === undefined || b === undefined)
    return { value: isNone ? undefined : value, rule: known === undefined ? 'union' : 'set-merge', winner: 'merged' }
  }
  return { value: tie === 'source' ? a : b, rule: 'tie', winner: tie }
}

/** (base \ (removed by a ∪ removed by b)) ∪ added by a ∪ added by b. */
const mergedSet = (base: ReadonlyArray<string>, a: ReadonlyArray<Json>, b: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const [old, left, right] = [new Set(base), byHash(a), byHash(b)]
  const merged = new Map<string, Json>()
  for (const [hash, value] of [...left, ...right]) {
    if (!old.has(hash) || (left.has(hash) && right.has(hash))) merged.set(hash, value)
  }
  return [...merged.values()].sort((x, y) => (orderOf(x) < orderOf(y) ? -1 : 1))
}

const byHash = (values: ReadonlyArray<Json>): ReadonlyMap<string, Json> => new Map(values.map((value) => [valueHash(value), value]))

/** Texts in the order in which libs/formats sorts them: the order of a set is part of the item's hash. */
const orderOf = (value: Json): string => (typeof value === 'string' ? value : canonicalJson(value))

const isBase = (value: Json | undefined, hash: FieldHash | undefined): boolean => {
  if (value === undefined || hash === undefined) return value === undefined && hash === undefined
  if (isList(value)) return typeof hash === 'object' && isSameSet([...byHash(value).keys()], hash)
  return typeof hash === 'string' && valueHash(value) === hash
}

const isSameContent = (a: Json | undefined, b: Json | undefined): boolean =>
  a !== undefined && b !== undefined && isList(a) && isList(b) ? isSameSet([...byHash(a).keys()], [...byHash(b).keys()]) : isSame(a, b)

const isSameSet = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((hash) => right.has(hash))
}
