/**
 * Knows what may be said outside: facts by allow-list, errors reduced to name, message and code, texts without the
 * places where credentials sit (R 9.5, SYNC.md §S4). Does not know where it is said.
 */
import { facts } from './facts.ts'

export const withheld = '[withheld]'

/** Longest text of one fact; a decoder's report or a vendor's page would flood the log otherwise. */
const longestText = 1_000
const longestScrubbed = 4_000
const longestList = 20

export const safeFacts = (given: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const safe: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) safe[name] = Object.hasOwn(facts, name) ? safeValue(name, value) : withheld
  }
  return safe
}

/** Only `error` and `counts` may have inner parts, each with its own short list; any other object is content. */
const safeValue = (name: string, value: unknown): unknown => {
  if (isPlain(value)) return typeof value === 'string' ? scrub(value) : value
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error || (name === 'error' && isObject(value))) return safeError(value)
  if (Array.isArray(value)) return value.slice(0, longestList).map((inner: unknown) => (isPlain(inner) ? safeValue(name, inner) : withheld))
  if (name === 'counts' && isObject(value)) return Object.fromEntries(Object.entries(value).filter(([, count]) => typeof count === 'number'))
  return withheld
}

const errorParts = ['name', 'is', 'message', 'code', 'flow', 'side', 'item', 'mend', 'notBefore']

const safeError = (error: object): Record<string, unknown> => {
  const safe: Record<string, unknown> = {}
  const parts: Record<string, unknown> = error instanceof Error ? { ...Object.fromEntries(Object.entries(error)), name: error.name, message: error.message } : { ...error }
  for (const part of errorParts) {
    const value = parts[part]
    if (value !== undefined && isPlain(value)) safe[part] = typeof value === 'string' ? scrub(value) : value
  }
  return safe
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

// Bounded repeats throughout: these run over whatever text a vendor sends.
const address = /\b([a-z][a-z0-9+.-]{0,30}):\/\/(?:[^\s/?#]{0,2000}@)?([^\s?#"'<>]{0,2000})([?#][^\s"'<>]{0,4000})?/gi
const credentialHeader = /\b(authorization|proxy-authorization|cookie|set-cookie)\b["']?\s{0,4}[:=]\s{0,4}[^\r\n]{1,4000}/gi
const scheme = /\b(bearer|basic|digest|negotiate)\s{1,4}[A-Za-z0-9+/=._~-]{6,4000}/gi
/** V8 quotes the text it could not parse. */
const quotedJson = /(Unexpected )[^\n]{1,400}( is not valid JSON)/g
const named = /\b(pass(?:word|wd|phrase)?|pwd|secret|[a-z_-]{0,30}token|api[_-]?key|client[_-]?secret|private[_-]?key|jwt|code_verifier)\b(["']?\s{0,4}[:=]\s{0,4})("[^"]{0,2000}"|'[^']{0,2000}'|[^\s,;&"']{1,2000})/gi

/** Takes user, password and query out of addresses, and the values of what is named like a credential. */
export const scrub = (text: string): string => {
  const clean = withoutFound(wholeWords(text))
    .replace(credentialHeader, (_, name: string) => `${name}: ${withheld}`)
    .replace(scheme, (_, name: string) => `${name} ${withheld}`)
    .replace(address, (_, protocol: string, place: string, query?: string) => `${protocol}://${place}${query === undefined ? '' : `?${withheld}`}`)
    .replace(quotedJson, `$1${withheld}$2`)
    .replace(named, (_, name: string, between: string) => `${name}${between}${withheld}`)
  return clean.length > longestText ? `${clean.slice(0, longestText - 1)}…` : clean
}

/** A decoder's report says path, expected and found, one mistake after the other; what was found is content. */
const withoutFound = (text: string): string =>
  text.includes(', found ')
    ? text.split(/; (?=[^\s;]{1,200}: expected )/).map((line) => (line.includes(': expected ') ? line.replace(/, found .*$/s, '') : line)).join('; ')
    : text

/** Cut between words: half an address would not be known as one, and its password would stay. */
const wholeWords = (text: string): string => (text.length <= longestScrubbed ? text : `${text.slice(0, longestScrubbed).replace(/\S+$/, '')}…`)
