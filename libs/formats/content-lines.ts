/**
 * Knows the content lines vCard and iCalendar share: unfolding, `group.NAME;PARAM=value:value`, folding, the limits.
 * Does not know what any property means. Our own parser, since ical.js rewrites what it reads (case, escapes, unknown values).
 */
import { E } from '../fp.ts'

export type Parameter = readonly [name: string, values: ReadonlyArray<string>]
export type ContentLine = {
  readonly group: string | null
  readonly name: string
  /** A parameter without `=` (vCard 2.1) has the name ''. */
  readonly parameters: ReadonlyArray<Parameter>
  readonly value: string
}

const mib = 1024 * 1024
/** SYNC.md S7. The line count bounds memory: a line costs some hundred bytes, however short it is. */
export const limits = { textBytes: 16 * mib, lineBytes: mib, photoBytes: 5 * mib, lines: 500_000 } as const

/** Hands every unfolded line with its number to `take`, which answers a report to stop at; answers the first report. */
export const eachLine = (text: string, take: (line: string, at: number) => string | null, quotedPrintable = false): string | null => {
  if (isLongerThan(text, limits.textBytes)) return `larger than ${limits.textBytes / mib} MiB`
  if (text.includes('\0')) return 'contains a NUL byte: not a text file'
  if (!text.isWellFormed()) return 'not well-formed Unicode'
  const lines = text.includes('\r') ? text.replace(/\r+\n?/g, '\n') : text
  let from = lines.charCodeAt(0) === 0xfeff ? 1 : 0
  let [at, startedAt, count, size, limit] = [0, 0, 0, 0, 0]
  let parts: Array<string> = []
  const finish = (): string | null => {
    if (parts.length === 0) return null
    const line = parts.join('')
    parts = []
    if (isLongerThan(line, limit)) return `line ${startedAt}: longer than ${limit / mib} MiB`
    if (++count > limits.lines) return `line ${startedAt}: more than ${limits.lines} lines`
    return take(line, startedAt)
  }
  while (from <= lines.length) {
    const newline = lines.indexOf('\n', from)
    const end = newline < 0 ? lines.length : newline
    const first = lines.charCodeAt(from)
    const folded = end > from && (first === 0x20 || first === 0x09) && parts.length > 0
    const soft = quotedPrintable && !folded && parts.at(-1)?.endsWith('=') === true && /^[^:]*QUOTED-PRINTABLE/i.test(parts[0] ?? '')
    at += 1
    if (folded || soft) {
      if (soft) parts.push((parts.pop() ?? '').slice(0, -1))
      parts.push(lines.slice(folded ? from + 1 : from, end))
      size += end - from
      if (size > limit) return `line ${startedAt}: longer than ${limit / mib} MiB`
    } else if (end > from) {
      const report = finish()
      if (report !== null) return report
      parts = [lines.slice(from, end)]
      ;[startedAt, size] = [at, end - from]
      limit = /^(?:[\w-]+\.)?PHOTO[;:]/i.test(parts[0] ?? '') ? limits.photoBytes : limits.lineBytes
    }
    from = end + 1
  }
  return finish()
}

/** Reports never quote the line: item content is not logged (SYNC.md S4). */
export const parseContentLine = (line: string): E.Either<string, ContentLine> => {
  const head = /^(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)(?=[;:])/.exec(line)
  if (head === null) return E.left('does not begin with a property name and a colon')
  const [whole, group, name = ''] = head
  const parameters: Array<Parameter> = []
  let i = whole.length
  while (line[i] === ';') {
    const named = /[A-Za-z0-9_-]+=/y
    named.lastIndex = i + 1
    const parameter = named.exec(line)?.[0].slice(0, -1) ?? ''
    i += parameter === '' ? 1 : parameter.length + 2
    const values: Array<string> = []
    do {
      if (values.length > 0) i += 1
      const one = line[i] === '"' ? /"([^"]*)"(?=[,;:])/y : /([^,;:]*)(?=[,;:])/y
      one.lastIndex = i
      const found = one.exec(line)
      if (found === null) return E.left('a parameter never ends')
      // RFC 6868: a quote inside a bare value cannot be written as it is.
      values.push((found[1] ?? '').replaceAll('"', "^'"))
      i = one.lastIndex
    } while (line[i] === ',')
    parameters.push([parameter.toUpperCase(), values])
  }
  return E.right({ group: group?.toLowerCase() ?? null, name: name.toUpperCase(), parameters, value: line.slice(i + 1) })
}

export const headOf = ({ group, name, parameters }: ContentLine): string =>
  (group === null ? '' : `${group}.`) + name + parameters.map(([parameter, values]) => `;${parameter}=${values.map(quoted).join(',')}`).join('')

export const printContentLine = (line: ContentLine): string => `${headOf(line)}:${line.value}`

const quoted = (value: string): string => (/[,;:]/.test(value) ? `"${value}"` : value)

/** Lines of at most 75 octets, never cut inside a character, each ended by CRLF. */
export const fold = (line: string): string => {
  if (line.length <= 25 || (line.length <= 75 && Buffer.byteLength(line) <= 75)) return `${line}\r\n`
  const parts: Array<string> = []
  let [start, octets, i] = [0, 0, 0]
  while (i < line.length) {
    const code = line.codePointAt(i) ?? 0
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (octets + width > 75) {
      parts.push(line.slice(start, i))
      // The space that begins a continuation counts.
      ;[start, octets] = [i, 1]
    }
    octets += width
    i += code >= 0x10000 ? 2 : 1
  }
  parts.push(line.slice(start))
  return `${parts.join('\r\n ')}\r\n`
}

/** UTF-8 only. Old writers fold inside a character, so bytes that do not decode are unfolded first and tried again. */
export const textOfBytes = (bytes: Uint8Array): E.Either<string, string> => {
  if (bytes.length > limits.textBytes) return E.left(`larger than ${limits.textBytes / mib} MiB`)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (raw: Uint8Array) => E.tryCatch(() => decoder.decode(raw), () => 'not UTF-8 text')
  const text = decode(bytes)
  if (E.isRight(text)) return text
  const unfolded = Buffer.from(bytes).toString('latin1').replace(/\r?\n[ \t]/g, '')
  return decode(Buffer.from(unfolded, 'latin1'))
}

const isLongerThan = (text: string, bytes: number): boolean =>
  text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
