/** Knows how one connection is written, and what its parts forbid each other. Does not know the other connections. */
import { defaultMaxAttempts, type Connection, type Strategy } from '../domain/connection.ts'
import { defaultIntervalMs } from '../domain/schedule.ts'
import { ConnectionId, type FlowId } from '../domain/ids.ts'
import { flowDefaultKeys, flowDefaults, flowInList, flowKeys, flowOf, type FlowDefaults, type ReadFlow } from './flow-form.ts'
import { duration, flag, inside, mapping, oneOf, share, text, wholeNumber, wrong, type At, type Fields, type Form } from './form.ts'
import { pathText } from './mistake.ts'
import { present } from './present.ts'
import { schedule } from './schedule-form.ts'
import type { Connectors } from './side-form.ts'

/** What a connection may leave to `defaults`. */
const sharedKeys = ['schedule', 'strategy', 'tie', 'entitled', 'lane', 'priority', 'paused', 'runTimeout', 'maxAttempts', 'sameActivityOverlap'] as const
const connectionKeys = ['description', ...sharedKeys, 'flows', ...flowKeys]

const strategies: ReadonlyArray<Strategy> = ['source-wins', 'destination-wins', 'newest-wins', 'merge', 'manual']
/** A run that takes longer is a mistake in the connection, not in its length. */
const longestRunMs = 7 * 86_400_000

type SharedDefaults = Partial<Omit<Connection, 'id' | 'description' | 'flows'>>
export type Defaults = { readonly connection: SharedDefaults; readonly flow: FlowDefaults }
export type ConnectionRules = { readonly connectors: Connectors; readonly defaults: Defaults; readonly folder: string }

export const noDefaults: Defaults = { connection: {}, flow: {} }

export const defaults: Form<Defaults> = (at) => {
  const fields = mapping(at, [...sharedKeys, ...flowDefaultKeys], 'a mapping')
  return fields && { connection: shared(fields), flow: flowDefaults(fields) }
}

export const connectionId: Form<ConnectionId> = (at) =>
  ConnectionId.is(at.value) ? at.value : wrong(at, { expected: 'an id of 1 to 64 letters, digits, _ or -', on: 'key' })

/** An entry of the list form has its id inside, an entry of the map form is named by its key. */
export const connection = (rules: ConnectionRules, keyed: ConnectionId | undefined, isListed: boolean): Form<Connection> => (at) => {
  const fields = mapping(at, ['id', ...connectionKeys], 'a mapping with source and destination, or with flows')
  if (fields === undefined) return undefined
  const id = isListed ? fields.need('id', connectionId, '`id`, such as contacts') : keyed
  if (!isListed && fields.has('id') && inside(at, 'id').value !== keyed) wrong(inside(at, 'id'), { expected: 'the same as the key, or nothing', mend: 'leave it out: the key is the id' })
  const { schedule: when, ...others } = { ...rules.defaults.connection, ...shared(fields) }
  const description = fields.get('description', text)
  const read = fields.has('flows') ? listed(rules, at, fields) : single(rules, at, fields)
  tellForbidden(at, fields, others, read)
  const flows = read.flatMap(({ flow }) => flow ?? [])
  if (id === undefined || flows.length === 0 || flows.length < read.length) return undefined
  return { id, schedule: when ?? { kind: 'interval', everyMs: defaultIntervalMs }, flows, ...others, ...present({ description }) }
}

const shared = (fields: Fields): SharedDefaults => present({
  schedule: fields.get('schedule', schedule),
  strategy: fields.get('strategy', oneOf(strategies)),
  tie: fields.get('tie', oneOf(['source', 'destination'] as const)),
  entitled: fields.get('entitled', flag),
  lane: fields.get('lane', oneOf(['hot', 'cold'] as const)),
  priority: fields.get('priority', wholeNumber(-1_000, 1_000)),
  paused: fields.get('paused', flag),
  runTimeoutMs: fields.get('runTimeout', duration(1_000, longestRunMs, 'from 1s to 7d')),
  // The queue itself gives a work item up after so many deliveries
  maxAttempts: fields.get('maxAttempts', wholeNumber(1, defaultMaxAttempts)),
  sameActivityOverlap: fields.get('sameActivityOverlap', share),
})

const single = (rules: ConnectionRules, at: At, fields: Fields): ReadonlyArray<ReadFlow> => {
  if (fields.has('source') || fields.has('destination')) return [flowOf({ ...rules, defaults: rules.defaults.flow }, at, fields, mainFlow)]
  wrong(at, { found: 'nothing', expected: '`source` and `destination`', problem: 'there is no flow', mend: 'add `source`, `destination`, `kind` and `direction`, or a list `flows`' })
  return []
}

/** The flow of a connection that has one, written out on it. */
const mainFlow = 'main' as FlowId

const listed = (rules: ConnectionRules, at: At, fields: Fields): ReadonlyArray<ReadFlow> => {
  for (const name of flowKeys.filter((key) => fields.has(key))) {
    wrong(inside(at, name), { expected: `\`${name}\` inside each entry of \`flows\``, problem: `\`${name}\` belongs to a flow, and this connection has a list of them`, mend: 'move it into the entries of `flows`, or into `defaults`', on: 'key' })
  }
  const list = inside(at, 'flows')
  if (!Array.isArray(list.value) || list.value.length === 0) {
    wrong(list, { expected: 'a list of flows' })
    return []
  }
  const seen = new Set<string>()
  return list.value.map((_, i): ReadFlow => {
    const place = inside(list, i)
    const own = inside(place, 'id')
    if (typeof own.value === 'string' && seen.has(own.value)) wrong(own, { found: `"${own.value}" a second time`, expected: 'each flow once', mend: 'name it otherwise' })
    if (typeof own.value === 'string') seen.add(own.value)
    return flowInList({ ...rules, defaults: rules.defaults.flow })(place) ?? { at: place, kind: undefined, direction: undefined, flow: undefined }
  })
}

const tellForbidden = (at: At, fields: Fields, { strategy, entitled }: SharedDefaults, flows: ReadonlyArray<ReadFlow>): void => {
  const place = fields.has('strategy') ? inside(at, 'strategy') : at
  if (strategy !== undefined && strategy !== 'source-wins' && entitled === false) {
    wrong(place, { found: `${strategy} with entitled: false`, expected: 'source-wins', problem: `the connection is not entitled to ${strategy}`, mend: 'take source-wins, or set entitled: true' })
  }
  if (strategy !== 'merge') return
  // What a one-way flow merges never comes back to its source, so the two have no agreed base; activities need none (R 17.9)
  for (const { kind, direction, at: flow } of flows) {
    if (direction !== 'one-way' || kind === undefined || kind === 'activity') continue
    wrong(place, { found: 'merge', expected: 'another strategy', problem: `merge needs a base, and the one-way flow ${pathText(flow.path)} of ${kind} records has none`, mend: 'make the flow two-way, or take source-wins or destination-wins' })
  }
}
