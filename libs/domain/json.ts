/**
 * Knows plain JSON values and their one canonical text.
 * Canonical: object keys sorted by code unit, strings in NFC, no white space, numbers as JavaScript prints them.
 */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const names = Object.keys(value).sort()
  const parts: Array<string> = []
  for (const name of names) {
    const inner = value[name]
    if (inner !== undefined) parts.push(`${quoted(name)}:${canonicalJson(inner)}`)
  }
  return `{${parts.join(',')}}`
}

/** A string's canonical form. Printable ASCII without quote and backslash is its own canonical form: most of what is hashed, at half the cost. */
const plainText = /^[ !#-[\]-~]*$/
export const quoted = (text: string): string => (plainText.test(text) ? `"${text}"` : JSON.stringify(text.normalize('NFC')))

export const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
