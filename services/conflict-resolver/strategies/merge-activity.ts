/**
 * Knows how two recordings of one activity become one (R 4.5a–c): the superset of both.
 *
 * Fields of kind `activity`: `startTime` and `endTime` (RFC 3339), `durationMs` (also `duration`), `distance` (metres),
 * `calories` (kcal), `streams` (name of the stream, such as `gps` or `heartRate` → its samples), and whatever else a
 * provider tells (title, type, notes), which is merged three-way by field.
 */
import { isList } from '#libs/domain/json.ts'
import type { Json } from '#libs/domain/json.ts'
import type { Fields } from '#libs/domain/record.ts'
import { isSame, namesOf, valueIn } from '../conflict.ts'
import type { Provenance, SideName, Strategy } from '../conflict.ts'
import { mergedFields, mergeFields } from './merge-fields.ts'

type FieldRuling = { readonly value: Json; readonly rule: string; readonly winner: Provenance['winner'] }
type FieldRule = (a: Json, b: Json, tie: SideName) => FieldRuling

/** Rule 1: when it was and how long it took, as the source says. */
const fromSource: FieldRule = (a) => ({ value: a, rule: 'activity-time-from-source', winner: 'source' })

/** Rule 2: the higher of two amounts. Decimal texts count as numbers. */
const theHigher: FieldRule = (a, b, tie) => {
  const [left, right] = [amountOf(a), amountOf(b)]
  if (left === undefined || right === undefined || left === right) return tied(a, b, tie)
  return left > right ? { value: a, rule: 'activity-higher', winner: 'source' } : { value: b, rule: 'activity-higher', winner: 'destination' }
}

/** Rule 3: every stream of both; of one that both have, the recording with more samples. */
const joined: FieldRule = (a, b, tie) => {
  if (!isRecord(a) || !isRecord(b)) return tied(a, b, tie)
  const streams = namesOf(a, b).map((name): readonly [string, Json] => [name, theLonger(valueIn(a, name), valueIn(b, name), tie)])
  return { value: Object.fromEntries(streams), rule: 'activity-streams-joined', winner: 'merged' }
}

const rules: Readonly<Record<string, FieldRule>> = {
  startTime: fromSource,
  endTime: fromSource,
  durationMs: fromSource,
  duration: fromSource,
  distance: theHigher,
  calories: theHigher,
  streams: joined,
}

export const mergeActivity: Strategy = (conflict, asked) => {
  if (conflict.met !== 'edit-edit') return mergeFields(conflict, asked)
  const { base, source: { fields: a }, destination: { fields: b } } = conflict
  const rest = mergedFields(base, without(a), without(b), asked.tie)
  const kept: Array<readonly [string, Json]> = []
  const provenance: Array<Provenance> = []
  for (const [field, rule] of Object.entries(rules)) {
    const ruling = ruled(rule, valueIn(a, field), valueIn(b, field), asked.tie)
    if (ruling === undefined) continue
    kept.push([field, ruling.value])
    if (ruling.winner !== 'both') provenance.push({ field, rule: ruling.rule, winner: ruling.winner })
  }
  return { take: 'merged', rule: 'merge-activity', fields: { ...rest.fields, ...Object.fromEntries(kept) }, provenance: [...provenance, ...rest.provenance] }
}

const ruled = (rule: FieldRule, a: Json | undefined, b: Json | undefined, tie: SideName): FieldRuling | undefined => {
  if (a === undefined) return b === undefined ? undefined : { value: b, rule: 'only-at-destination', winner: 'destination' }
  if (b === undefined) return { value: a, rule: 'only-at-source', winner: 'source' }
  return isSame(a, b) ? { value: a, rule: 'same', winner: 'both' } : rule(a, b, tie)
}

const tied = (a: Json, b: Json, tie: SideName): FieldRuling => ({ value: tie === 'source' ? a : b, rule: 'tie', winner: tie })

const theLonger = (a: Json | undefined, b: Json | undefined, tie: SideName): Json => {
  if (a === undefined || b === undefined) return a ?? b ?? null
  const [left, right] = [samplesIn(a), samplesIn(b)]
  if (left === right) return tie === 'source' ? a : b
  return left > right ? a : b
}

const samplesIn = (stream: Json): number => (isList(stream) ? stream.length : 0)

const amountOf = (value: Json): number | undefined => {
  const amount = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value
  return typeof amount === 'number' && Number.isFinite(amount) ? amount : undefined
}

const isRecord = (value: Json): value is Fields => typeof value === 'object' && value !== null && !isList(value)

const without = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([field]) => !Object.hasOwn(rules, field)))
