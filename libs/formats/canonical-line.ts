/**
 * Knows how one content line becomes canonical text, the same for every way of writing the same thing (SYNC.md §A.2).
 * Does not know the properties themselves: a dialect names those whose syntax is known; others pass untouched but for NFC.
 */
import { printContentLine, type ContentLine, type Parameter } from './content-lines.ts'

export type Dialect = {
  /** Parameters whose values are names: case folded, and split at commas even when quoted. */
  readonly namesIn: ReadonlySet<string>
  readonly caseOfNames: 'lower' | 'upper'
  /** Parameters whose values stand in a meaningful order. */
  readonly ordered: ReadonlySet<string>
  /** One text value. */
  readonly text: ReadonlySet<string>
  /** Text components split by `;`, with the number of components the standard gives it (0: trailing ones are cut). */
  readonly structured: ReadonlyMap<string, number>
  /** Values split by `,`: a set, kept as one line each. */
  readonly lists: ReadonlySet<string>
  /** Such lists whose values are no text. */
  readonly rawLists: ReadonlySet<string>
  /** Properties that stand at most once: a scalar field, so that two edits of one are a conflict and not two values. */
  readonly single: ReadonlySet<string>
  /** Properties that say nothing about the item (SYNC.md §1.1) or are kept elsewhere. */
  readonly ignored: ReadonlySet<string>
}

export const canonicalLines = (line: ContentLine, dialect: Dialect): ReadonlyArray<string> => {
  const parameters = canonicalParameters(line.parameters, dialect)
  return [...new Set(canonicalValues(line, dialect))].map((value) => printContentLine({ ...line, parameters, value }))
}

const canonicalValues = ({ name, value }: ContentLine, dialect: Dialect): ReadonlyArray<string> => {
  if (dialect.text.has(name)) return [canonicalText(value)]
  if (dialect.lists.has(name) || dialect.rawLists.has(name)) {
    const parts = dialect.lists.has(name) ? splitEscaped(value, ',').map(canonicalText) : value.split(',').map(composed)
    const filled = parts.filter((part) => part !== '')
    return filled.length === 0 ? [''] : filled
  }
  const components = dialect.structured.get(name)
  return [components === undefined ? composed(value) : structuredText(value, components)]
}

const structuredText = (value: string, components: number): string => {
  const parts = splitEscaped(value, ';').map((part) => splitEscaped(part, ',').map(canonicalText).join(','))
  while (parts.length > Math.max(components, 1) && parts.at(-1) === '') parts.pop()
  while (parts.length < components) parts.push('')
  return parts.join(';')
}

const canonicalParameters = (parameters: ReadonlyArray<Parameter>, dialect: Dialect): ReadonlyArray<Parameter> => {
  const merged = new Map<string, Array<string>>()
  for (const [name, values] of parameters) {
    const known = merged.get(name) ?? []
    for (const value of values) {
      if (!dialect.namesIn.has(name)) known.push(value.normalize('NFC').replaceAll('"', "^'"))
      else known.push(...value.split(',').map((part) => folded(part.trim(), dialect)).filter((part) => part !== ''))
    }
    if (known.length > 0) merged.set(name, known)
  }
  return [...merged]
    .map(([name, values]): Parameter => [name, dialect.ordered.has(name) ? values : [...new Set(values)].sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

const folded = (name: string, dialect: Dialect): string =>
  (dialect.caseOfNames === 'lower' ? name.toLowerCase() : name.toUpperCase()).normalize('NFC')

export const unescapeText = (value: string): string =>
  value.replace(/\\([\\;,:nN])/g, (_, escaped: string) => (escaped === 'n' || escaped === 'N' ? '\n' : escaped))

export const escapeText = (text: string): string =>
  text.replace(/[\\;,]/g, '\\$&').replace(/\r\n?|\n/g, '\\n')

const canonicalText = (value: string): string => escapeText(unescapeText(value).normalize('NFC'))

/** NFC, but never across an escape (`\n` and a combining accent would become `\ń`); U+037E would become a bare `;`. */
const composed = (value: string): string =>
  /^[\0-\x7f]*$/.test(value)
    ? value
    : value.replace(/\\.|[^\\]+/gsu, (part) => (part.startsWith('\\') ? part : part.replaceAll('\u037e', '\\;').normalize('NFC')))

export const splitEscaped = (value: string, separator: ',' | ';'): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let start = 0
  for (let i = 0; i < value.length; i += 1) {
    if (value[i] === '\\') i += 1
    else if (value[i] === separator) {
      parts.push(value.slice(start, i))
      start = i + 1
    }
  }
  parts.push(value.slice(start))
  return parts
}
