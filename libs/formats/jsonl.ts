/**
 * Knows one line of JSON as a row and back, bounded (SYNC.md S8). Does not know files or streams.
 * A number JavaScript cannot hold is kept as the text it was written as (a string): better another type than another value.
 */
import { E } from '../fp.ts'
import { isList, type Json } from '../domain/json.ts'

const maxLineBytes = 1024 * 1024
const maxDepth = 64

/** Reports never quote the line: item content is not logged (SYNC.md S4). */
export const parseJsonLine = (line: string): E.Either<string, Record<string, Json>> => {
  if (line.length > maxLineBytes || (line.length * 3 > maxLineBytes && Buffer.byteLength(line) > maxLineBytes)) return E.left('longer than 1 MiB')
  const text = line.charCodeAt(0) === 0xfeff ? line.slice(1) : line
  const parsed = E.tryCatch(() => JSON.parse(text) as Json, notJson)
  if (E.isLeft(parsed)) return parsed
  if (parsed.right === null || typeof parsed.right !== 'object' || isList(parsed.right)) return E.left('not an object')
  const mistake = mistakeIn(parsed.right, 1)
  if (mistake !== null) return E.left(mistake)
  // The reviver is an order of magnitude slower than plain parsing, and recursive: depth is known to be small by now.
  if (mayLoseDigits.test(text)) return E.right(JSON.parse(text, keepingDigits) as Record<string, Json>)
  return E.right(parsed.right)
}

/** Up to 15 significant digits survive; a digit run this long or an exponent may not. */
const mayLoseDigits = /[\d.]{16}|[:,[\s]-?[\d.]+[eE]/

const keepingDigits = (_: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value !== 'number' || context?.source === undefined || isSameNumber(context.source, String(value)) ? value : context.source

const isSameNumber = (a: string, b: string): boolean => decimalOf(a) === decimalOf(b)

/** Digits without zeros around them and the exponent they have then; the same for every way to write a number. */
const decimalOf = (text: string): string => {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found ?? []
  if (found === null || exponent.length > 10) return text
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  return significant === '' ? '0' : `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

/** `__proto__` is refused: an own property of that name turns into a prototype in any careless copy. */
const mistakeIn = (value: Json, depth: number): string | null => {
  if (value === null || typeof value !== 'object') return null
  if (depth > maxDepth) return `nested deeper than ${maxDepth}`
  if (isList(value)) {
    for (const inner of value) {
      const mistake = mistakeIn(inner, depth + 1)
      if (mistake !== null) return mistake
    }
    return null
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') return 'a property named __proto__'
    const mistake = mistakeIn(value[name] ?? null, depth + 1)
    if (mistake !== null) return mistake
  }
  return null
}

const notJson = (error: unknown): string => {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
  return position === undefined ? 'not JSON' : `not JSON at character ${position}`
}

/** Keys sorted by code unit at every level, no white space, no line end. */
export const formatJsonLine = (row: { readonly [name: string]: Json }): string => orderedJson(row)

const orderedJson = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(orderedJson).join(',')}]`
  const parts = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${orderedJson(value[name] ?? null)}`)
  return `{${parts.join(',')}}`
}
