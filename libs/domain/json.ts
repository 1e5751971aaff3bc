/**
 * Knows plain JSON values and their one canonical text.
 * Canonical: object keys sorted by code unit, strings in NFC, no white space, numbers as JavaScript prints them.
 */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  let text = ''
  for (const name of sorted(Object.keys(value))) {
    const inner = value[name]
    if (inner !== undefined) text += `${text === '' ? '{' : ','}${quoted(name)}:${canonicalJson(inner)}`
  }
  return text === '' ? '{}' : `${text}}`
}

const fewNames = 16

/** In place. Few names are sorted by hand: the built-in copies the list several times over, for every row. */
const sorted = (names: Array<string>): ReadonlyArray<string> => {
  if (names.length > fewNames) return names.sort()
  for (let n = 1; n < names.length; n++) {
    const name = names[n] ?? ''
    let at = n
    for (let before = names[at - 1]; before !== undefined && before > name; before = names[at - 1]) {
      names[at] = before
      at -= 1
    }
    names[at] = name
  }
  return names
}

/** A string's canonical form. Printable ASCII without quote and backslash is its own canonical form: most of what is hashed, at half the cost. */
const plainText = /^[ !#-[\]-~]*$/
export const quoted = (text: string): string => (plainText.test(text) ? `"${text}"` : JSON.stringify(text.normalize('NFC')))

export const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
