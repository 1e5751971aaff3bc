/** Knows how to find a value's node in a parsed YAML file, through aliases and merges. Does not know what the values mean. */
import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import type { Path } from './mistake.ts'

/** Takes over what another mapping has. */
export const mergeKey = '<<'

/** undefined: the key is no plain text. */
export const keyText = ({ key }: Pair): string | undefined => {
  if (!isScalar(key)) return undefined
  const { value } = key
  if (typeof value === 'symbol') return mergeKey
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
}

/** Where the value, or its key, begins; where there is none, the nearest thing around it. */
export const offsetIn = (document: Document, path: Path, on: 'key' | undefined): number => {
  let node: unknown = document.contents
  let offset = 0
  const target = (one: unknown): unknown => (isAlias(one) ? one.resolve(document) : one)
  for (const [i, step] of path.entries()) {
    node = target(node)
    const pair = isMap(node) ? pairOf(node, String(step), target) : undefined
    const inside: unknown = isSeq(node) ? node.items[Number(step)] : pair?.value
    const key = pair?.key as Node | undefined
    if (inside === undefined && pair === undefined) return offset
    const isEmpty = isScalar(inside) && inside.value === null
    const own = i === path.length - 1 && on === 'key' ? key : isEmpty ? (key ?? inside) : inside
    offset = (own as Node | null | undefined)?.range?.[0] ?? key?.range?.[0] ?? offset
    node = inside
  }
  return offset
}

/** Its own pair, the last one where there are several; else the one it takes over by `<<`. */
const pairOf = (map: YAMLMap, name: string, target: (node: unknown) => unknown): Pair | undefined => {
  const own = map.items.findLast((pair) => keyText(pair) === name)
  if (own !== undefined) return own
  for (const merged of map.items.filter((pair) => keyText(pair) === mergeKey)) {
    const source = target(merged.value)
    for (const one of isSeq(source) ? source.items.map(target) : [source]) {
      const found = isMap(one) ? pairOf(one, name, target) : undefined
      if (found !== undefined) return found
    }
  }
  return undefined
}
