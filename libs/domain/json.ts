/**
 * Knows plain JSON values and their one canonical text.
 * Canonical: object keys sorted by code unit, strings in NFC, no white space, numbers as JavaScript prints them.
 */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return JSON.stringify(value.normalize('NFC'))
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const names = Object.keys(value).sort()
  const parts: Array<string> = []
  for (const name of names) {
    const inner = value[name]
    if (inner !== undefined) parts.push(`${JSON.stringify(name.normalize('NFC'))}:${canonicalJson(inner)}`)
  }
  return `{${parts.join(',')}}`
}

export const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
