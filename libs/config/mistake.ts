/** Knows what a mistake in a configuration file is and how a person reads it. Does not know what may be wrong. */

/** Keys and list positions from the top of the file. */
export type Path = ReadonlyArray<string | number>

export type Mistake = {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** `connections.contacts.flows[0].source.path`; empty for the file itself. */
  readonly path: string
  /** What stands there, cut after 60 characters, without passwords. */
  readonly found: string
  readonly expected: string
  /** In place of "expected …, found …" where that does not say what is wrong. */
  readonly problem?: string
  /** What to do. */
  readonly mend?: string
}

/** One line: `sync.yaml:12:5 connections.contacts.schedule.every: expected a duration such as 30s, found 30`. */
export const describeMistake = ({ file, line, column, path, found, expected, problem, mend }: Mistake): string => {
  const where = `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}`
  const what = problem ?? `expected ${expected}, found ${found}`
  return `${where}: ${what}${mend === undefined ? '' : `; ${mend}`}`
}

export const pathText = (path: Path): string => {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w$-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

const longestShown = 60

export const shown = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping'
  const text = JSON.stringify(typeof value === 'string' ? withoutPassword(value) : value)
  return text.length > longestShown ? `${text.slice(0, longestShown - 1)}…` : text
}

/** What stands between `://` and `@` may be a secret. */
export const withoutPassword = (text: string): string => text.replace(/:\/\/[^/\s]*@/g, '://…@')
