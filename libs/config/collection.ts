/**
 * Knows which collection a side means, as far as its options tell: two sides with the same text are the same place. Only
 * the connector knows for sure (links, host names), and says so when it is opened; this is what can be told beforehand.
 */
import type { Side } from '../domain/connection.ts'
import { canonicalJson, type Json } from '../domain/json.ts'

/** The options that name the place, where the others only say how it is read and written. */
const naming: Readonly<Record<string, ReadonlyArray<string>>> = { file: ['path'], postgres: ['url', 'table'] }
/** Of a provider that is not in the table every option names the place, but these. */
const manner: ReadonlySet<string> = new Set(['provider', 'readOnly', 'key', 'format', 'cursor', 'columns'])

export const collectionOf = (side: Side): string => `${side.provider} ${canonicalJson(placeOf(side))}`

/** For a person: `file ./contacts`, `postgres METERS_URL readings`. */
export const collectionName = (side: Side): string => {
  const words = (value: unknown): ReadonlyArray<string> =>
    typeof value === 'object' && value !== null ? Object.values(value).flatMap(words) : [String(value)]
  return [side.provider, ...Object.values(placeOf(side)).flatMap(words)].join(' ')
}

const placeOf = (side: Side): { readonly [name: string]: Json } => {
  const names = naming[side.provider] ?? Object.keys(side).filter((name) => !manner.has(name))
  return Object.fromEntries(names.map((name) => [name, plain(name, side[name])]))
}

/** `public.meters` is what `meters` means unless the search path was changed. */
const plain = (name: string, value: unknown): Json =>
  name === 'table' && typeof value === 'string' ? value.replaceAll('"', '').replace(/^public\./, '') : ((value ?? null) as Json)
