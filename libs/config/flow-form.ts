/** Knows how one flow is written. Does not know the connection around it. */
import type { Flow, Guards } from '../domain/connection.ts'
import { FlowId } from '../domain/ids.ts'
import type { RecordKind } from '../domain/record.ts'
import { duration, flag, inside, isMapping, mapping, oneOf, share, text, wholeNumber, wrong, type At, type Fields, type Form } from './form.ts'
import { collectionOf } from './collection.ts'
import { present } from './present.ts'
import { side, type Connectors } from './side-form.ts'

const kinds: ReadonlyArray<RecordKind> = ['contact', 'event', 'activity', 'glucose-reading', 'row']
const directions = ['one-way', 'two-way'] as const
/** A side that shows our writes later than this cannot be told from one that lost them. */
const longestHorizonMs = 86_400_000

/** What a flow may leave to `defaults`. */
export const flowDefaultKeys = ['kind', 'direction', 'drift', 'deletes', 'readOnly', 'deleteWins', 'batchSize', 'horizon', 'guards'] as const
export const flowKeys = [...flowDefaultKeys, 'source', 'destination', 'fields'] as const

export type FlowDefaults = Partial<Omit<Flow, 'id' | 'source' | 'destination' | 'fields'>>

export type FlowRules = {
  readonly connectors: Connectors
  readonly defaults: FlowDefaults
  /** Relative paths begin here. */
  readonly folder: string
}

const id: Form<FlowId> = (at) =>
  FlowId.is(at.value) ? at.value : wrong(at, { expected: 'an id of 1 to 64 letters, digits, _ or -' })

/** What is known of a flow even when some of it is wrong; `flow` when all of it is right. */
export type ReadFlow = { readonly at: At; readonly kind: RecordKind | undefined; readonly direction: Flow['direction'] | undefined; readonly flow: Flow | undefined }

export const flowInList = (rules: FlowRules): Form<ReadFlow> => (at) => {
  const fields = mapping(at, ['id', ...flowKeys], 'a mapping with id, kind, direction, source and destination')
  if (fields === undefined) return undefined
  return flowOf(rules, at, fields, fields.need('id', id, '`id`, such as upload'))
}

/** `at` may be the connection itself, whose only flow is written out on it; `fields` are those of `at`. */
export const flowOf = ({ connectors, defaults, folder }: FlowRules, at: At, fields: Fields, flowId: FlowId | undefined): ReadFlow => {
  const kind = fields.has('kind') || defaults.kind === undefined ? fields.need('kind', oneOf(kinds), `\`kind\`: one of ${kinds.join(', ')}`) : defaults.kind
  const direction = fields.has('direction') || defaults.direction === undefined ? fields.need('direction', oneOf(directions), '`direction`: one-way or two-way') : defaults.direction
  const source = fields.need('source', side(connectors, kind, folder), '`source`, with `provider` and its options')
  const destination = fields.need('destination', side(connectors, kind, folder), '`destination`, with `provider` and its options')
  const own = rest(fields)
  for (const [name, other] of [['drift', 'one-way'], ['deletes', 'one-way'], ['readOnly', 'two-way']] as const) {
    if (direction === undefined || direction === other || !fields.has(name)) continue
    wrong(inside(at, name), { expected: `only with direction ${other}`, problem: `\`${name}\` means nothing in a ${direction} flow`, mend: `leave it out, or make the flow ${other}`, on: 'key' })
  }
  if (direction !== undefined) tellUnwritable(at, direction)
  const names = fields.get('fields', fieldNames)
  if (flowId === undefined || kind === undefined || direction === undefined || source === undefined || destination === undefined) return { at, kind, direction, flow: undefined }
  if (collectionOf(source) === collectionOf(destination)) {
    wrong(inside(at, 'destination'), { expected: 'two different places', problem: 'source and destination are the same place', mend: 'point one of them elsewhere', on: 'key' })
  }
  const { kind: _kind, direction: _direction, guards: usual, ...others } = defaults
  const { drift, deletes, readOnly, ...both } = { ...others, ...own }
  const flow = { id: flowId, direction, kind, source, destination, ...present({ ...both, ...(direction === 'one-way' ? { drift, deletes } : { readOnly }), fields: names, guards: mergedGuards(usual, own.guards) }) }
  return { at, kind, direction, flow }
}

/** The defaults of all flows; each value wrong or right by itself. */
export const flowDefaults = (fields: Fields): FlowDefaults =>
  present({ kind: fields.get('kind', oneOf(kinds)), direction: fields.get('direction', oneOf(directions)), ...rest(fields) })

/** A value that is wrong has been told, and is left out. */
const rest = (fields: Fields) => present({
  drift: fields.get('drift', oneOf(['ignore', 'reassert'] as const)),
  deletes: fields.get('deletes', oneOf(['follow', 'keep'] as const)),
  readOnly: fields.get('readOnly', oneOf(['error', 'ignore', 'revert'] as const)),
  deleteWins: fields.get('deleteWins', flag),
  batchSize: fields.get('batchSize', wholeNumber(1, 10_000)),
  horizonMs: fields.get('horizon', duration(0, longestHorizonMs, 'of at most 1d')),
  guards: fields.get('guards', guards),
})

const guards: Form<Guards> = (at) => {
  const fields = mapping(at, ['maxDeletes', 'maxDeleteShare', 'maxBadShare', 'mode', 'canary'], 'a mapping such as { maxDeletes: 10, maxDeleteShare: 25% }')
  return fields && present({
    maxDeletes: fields.get('maxDeletes', wholeNumber(0, 1_000_000_000)),
    maxDeleteShare: fields.get('maxDeleteShare', share),
    maxBadShare: fields.get('maxBadShare', share),
    mode: fields.get('mode', oneOf(['standard', 'strict'] as const)),
    canary: fields.get('canary', text),
  })
}

const mergedGuards = (defaults: Guards | undefined, own: Guards | undefined): Guards | undefined =>
  defaults === undefined && own === undefined ? undefined : { ...defaults, ...own }

/** destination field → source field. */
const fieldNames: Form<Record<string, string>> = (at) => {
  if (!isMapping(at.value)) return wrong(at, { expected: 'a mapping of destination field to source field' })
  const names = Object.keys(at.value)
  if (names.length === 0) return wrong(at, { expected: 'at least one field', mend: 'leave `fields` out to take all by their own names' })
  const found = names.map((name) => [name, text(inside(at, name))] as const)
  return Object.fromEntries(found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined))
}

/** SYNC.md §C: what can never write must not be found out at run time. One read-only side of two is the flow's `readOnly` policy. */
const tellUnwritable = (at: At, direction: 'one-way' | 'two-way'): void => {
  const [source, destination] = (['source', 'destination'] as const).map((name) => inside(inside(at, name), 'readOnly'))
  if (destination?.value !== true || (direction === 'two-way' && source?.value !== true)) return
  wrong(destination, {
    expected: 'a side that may be written', on: 'key',
    ...(direction === 'one-way'
      ? { problem: 'a one-way flow writes to its destination, which is read-only', mend: 'take `readOnly` out, or swap the sides' }
      : { problem: 'both sides are read-only', mend: 'take `readOnly` out on one of them' }),
  })
}
