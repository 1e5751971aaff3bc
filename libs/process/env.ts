/** Knows how settings are read from an environment: trimmed, checked, every mistake at once. Does not know which exist. */
export type Env = Readonly<Record<string, string | undefined>>

export type EnvReader = {
  /** undefined when unset or blank. */
  readonly text: (name: string) => string | undefined
  readonly oneOf: <A extends string>(name: string, allowed: ReadonlyArray<A>, otherwise: A) => A
  readonly wholeNumber: (name: string, from: number, to: number, otherwise: number) => number
  readonly mistake: (line: string) => void
  /** One line per mistake: the name, what was expected, what was found. */
  readonly mistakes: () => ReadonlyArray<string>
}

export const readEnv = (env: Env): EnvReader => {
  const lines: Array<string> = []
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }
  return {
    text,
    oneOf: (name, allowed, otherwise) => {
      const value = text(name) ?? otherwise
      const found = allowed.find((one) => one === value)
      if (found === undefined) lines.push(`${name}: expected one of ${allowed.join(', ')}, found "${value}"`)
      return found ?? otherwise
    },
    wholeNumber: (name, from, to, otherwise) => {
      const value = text(name) ?? String(otherwise)
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      if (number >= from && number <= to) return number
      lines.push(`${name}: expected a whole number from ${from} to ${to}, found "${value}"`)
      return otherwise
    },
    mistake: (line) => lines.push(line),
    mistakes: () => lines,
  }
}
