/** Knows how one JSON log line reads on a terminal: time, level, service, event, then facts. Does not know pino. */
import { withheld } from './redact.ts'

const colours: Readonly<Record<string, string>> = { debug: '\u001b[2m', info: '\u001b[32m', warn: '\u001b[33m', error: '\u001b[31m' }
const faint = '\u001b[2m'
const plain = '\u001b[0m'

// Escape sequences in a fact could redraw the terminal or forge a line.
// eslint-disable-next-line no-control-regex -- control characters are what this line takes out
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

/** `12:33:04 warn  scheduler    slot.late conn=contacts latenessMs=4100`; a line that is not JSON passes as it is. */
export const prettyLine = (json: string, { colour }: { readonly colour: boolean }): string => {
  const record = parse(json)
  if (record === undefined) return json
  const { level, time, service, event, ...facts } = record
  const paint = (code: string | undefined, text: string): string => (colour && code !== undefined ? `${code}${text}${plain}` : text)
  const said = Object.entries(facts).map(([name, value]) => `${paint(faint, `${name}=`)}${textOf(value)}`)
  const clock = String(time).slice(11, 19)
  const head = [paint(faint, clock), paint(colours[String(level)], String(level).padEnd(5)), String(service).padEnd(17), textOf(event)]
  return `${[...head, ...said].join(' ')}\n`
}

const parse = (json: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (typeof value !== 'object' || value === null) return quoted(String(value))
  const message = 'message' in value ? value.message : undefined
  const code = 'code' in value ? ` (${String(value.code)})` : ''
  if (typeof message === 'string') return quoted(`${message}${code}`)
  return Object.entries(value).filter(([, inner]) => inner !== 0).map(([name, inner]) => `${name}:${textOf(inner)}`).join(',')
}

const quoted = (text: string): string => {
  const clean = text.replace(control, ' ')
  return clean === withheld || !/[\s="]/.test(clean) ? clean : JSON.stringify(clean)
}
