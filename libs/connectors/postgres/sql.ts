/** Knows how names and texts stand in SQL. Pure; does not know any statement. */

export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** For COPY, which takes no parameters. Safe whatever `standard_conforming_strings` says. */
export const literal = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}

/** A row of several, or the one expression itself: `(a, b)`, `a`. */
export const tuple = (parts: ReadonlyArray<string>): string => (parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`)
