/**
 * Knows the configuration file: `connections` (a list, or a mapping by id) and `defaults`. Reads it whole and tells every
 * mistake at once, by line. Pure but for the current folder, which a relative file name is meant from.
 */
import { dirname, resolve } from 'node:path'
import { connectors } from '../connectors/registry.ts'
import type { Connection } from '../domain/connection.ts'
import { E } from '../fp.ts'
import { connection, connectionId, defaults, noDefaults, type ConnectionRules, type Defaults } from './connection-form.ts'
import { inside, isMapping, mapping, wrong, type At, type Told } from './form.ts'
import { knotsIn, type Arrow } from './knots.ts'
import { pathText, type Mistake, type Path } from './mistake.ts'
import { parseYaml } from './parse-yaml.ts'
import type { Connectors } from './side-form.ts'

/**
 * `fileName` stands in the mistakes; relative paths of `file` sides are resolved from `folder`, the one the file is in.
 * Left: all mistakes in the order of their lines; never empty.
 */
export const readConfig = (
  text: string,
  fileName: string,
  known: Connectors = connectors,
  folder: string = dirname(resolve(fileName)),
): E.Either<ReadonlyArray<Mistake>, ReadonlyArray<Connection>> => {
  const yaml = parseYaml(text)
  if (E.isLeft(yaml)) return E.left(yaml.left.map((mistake) => ({ file: fileName, ...mistake })))
  const { value, placeOf, mistakes: already } = yaml.right
  const mistakes: Array<Mistake> = already.map((mistake) => ({ file: fileName, ...mistake }))
  const tell = (path: Path, { on, ...told }: Told & { readonly found: string }): void => {
    mistakes.push({ file: fileName, ...placeOf(path, on), path: pathText(path), ...told })
  }
  const found = read({ value, path: [], tell }, { connectors: known, folder })
  tellKnots(found, tell)
  if (mistakes.length === 0) return E.right(found.map(({ connection: one }) => one))
  return E.left([...mistakes].sort((a, b) => a.line - b.line || a.column - b.column))
}

type Found = { readonly connection: Connection; readonly path: Path }

const read = (at: At, rules: Omit<ConnectionRules, 'defaults'>): ReadonlyArray<Found> => {
  const example = '`connections:`, a mapping of ids to connections'
  if (at.value === null || at.value === undefined) {
    wrong(at, { found: 'an empty file', expected: example })
    return []
  }
  // Names beginning with x- are free for anchors
  const free = isMapping(at.value) ? Object.keys(at.value).filter((name) => name.startsWith('x-')) : []
  const fields = mapping(at, ['connections', 'defaults', ...free], `a mapping with ${example}`)
  if (fields === undefined) return []
  const given: Defaults = fields.get('defaults', defaults) ?? noDefaults
  const all = fields.need('connections', (list) => connectionsIn(list, { ...rules, defaults: given }), example)
  return all ?? []
}

const connectionsIn = (at: At, rules: ConnectionRules): ReadonlyArray<Found> => {
  const { value } = at
  const steps: ReadonlyArray<string | number> = Array.isArray(value) ? value.map((_, i) => i) : isMapping(value) ? Object.keys(value) : []
  if (steps.length === 0) {
    wrong(at, { expected: 'at least one connection' })
    return []
  }
  const seen = new Set<string>()
  return steps.flatMap((step): ReadonlyArray<Found> => {
    const place = inside(at, step)
    const keyed = typeof step === 'string' ? connectionId({ ...place, value: step }) : undefined
    const found = connection(rules, keyed, typeof step === 'number')(place)
    const id = inside(place, 'id')
    if (typeof step === 'number' && typeof id.value === 'string') {
      if (seen.has(id.value)) wrong(id, { found: `"${id.value}" a second time`, expected: 'each connection once', mend: 'name it otherwise, or take one out' })
      seen.add(id.value)
    }
    return found === undefined ? [] : [{ connection: found, path: place.path }]
  })
}

const tellKnots = (found: ReadonlyArray<Found>, tell: At['tell']): void => {
  const paths = new Map<string, Found>(found.map((one) => [one.connection.id, one]))
  for (const { is, arrows, text } of knotsIn(found.map(({ connection: one }) => one))) {
    const last = arrows.at(-1)
    const where = last === undefined ? undefined : paths.get(last.conn)
    if (last === undefined || where === undefined) continue
    const ends = is === 'loop' ? 'no loops' : 'one flow for each place that is written'
    const mend = is === 'loop' ? 'take one of these flows out, or make one two-way flow of two opposite ones' : 'let one of them write it, and give the others places of their own'
    tell(sidePath(where, last), { found: 'another one', expected: ends, problem: text, mend, on: 'key' })
  }
}

const sidePath = ({ connection: { flows }, path }: Found, { index, isBackward }: Arrow): Path => {
  const side = isBackward ? 'source' : 'destination'
  const isShort = flows.length === 1 && flows[0]?.id === 'main'
  return isShort ? [...path, side] : [...path, 'flows', index, side]
}
