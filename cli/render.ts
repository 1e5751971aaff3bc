/** Knows how things look on a terminal and in JSON: tables, colours, times, durations, counts. Pure. */
import type { Counts } from '#libs/contracts/result.ts'

const colours = { red: 31, green: 32, yellow: 33, blue: 34, dim: 2, bold: 1 } as const
export type Colour = keyof typeof colours
export type Paint = (colour: Colour, text: string) => string

export const painter = ({ colour }: { readonly colour: boolean }): Paint => (name, text) => (colour ? `\u001b[${colours[name]}m${text}\u001b[0m` : text)

/** What asks for a person is red, what waits is yellow. */
export const stateColour = (state: string): Colour => {
  switch (state) {
    case 'error': case 'failed': case 'dead': case 'fail': return 'red'
    case 'held': case 'partial': case 'paused': case 'cancelled': case 'skipped': case 'never_synced': case 'retrying': case 'warn': return 'yellow'
    case 'syncing': case 'in-progress': case 'queued': return 'blue'
    default: return 'green'
  }
}

/** Columns as wide as their longest cell; the last one is never padded. Colours do not count. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>, paint: Paint): ReadonlyArray<string> => {
  const widths = head.map((name, i) => rows.reduce((width, row) => Math.max(width, lengthOf(row[i] ?? '')), name.length))
  const line = (cells: ReadonlyArray<string>): string =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - lengthOf(cell))))).join('  ').trimEnd()
  return [paint('dim', line(head)), ...rows.map((row) => line(row.map(oneLine)))]
}

// eslint-disable-next-line no-control-regex -- the escape sequences of colours begin with one
const colourCodes = /\u001b\[\d+m/g
const lengthOf = (cell: string): number => lettersOf(cell.replace(colourCodes, '')).length

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** What a person takes for one letter, which may be several code points. */
const lettersOf = (text: string): ReadonlyArray<string> =>
  /^[ -~]*$/.test(text) ? text.split('') : Array.from(segmenter.segment(text), ({ segment }) => segment)

/** What comes from outside must not move the cursor, nor break the table. */
// eslint-disable-next-line no-control-regex -- control characters are what is taken out
export const oneLine = (text: string): string => text.replace(/\r?\n/g, ' ').replace(/(?!\u001b\[\d+m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')

export const cut = (text: string, width: number): string => {
  const letters = lettersOf(text)
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`
}

/** `12s`, `3m`, `2h 5m`, `4d`: to the unit that matters. */
export const spanText = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h${minutes % 60 === 0 ? '' : ` ${minutes % 60}m`}` : `${Math.floor(hours / 24)}d`
}

/** `5s ago`, `in 3m`, `never`. */
export const agoText = (at: number | undefined, now: number): string => {
  if (at === undefined) return 'never'
  return at > now + 500 ? `in ${spanText(at - now)}` : `${spanText(Math.max(0, now - at))} ago`
}

/** Only what is not zero: `3 read, 2 created, 1 parked`. */
export const countsText = (counts: Counts): string => {
  const some = Object.entries(counts).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`)
  return some.length === 0 ? 'nothing changed' : some.join(', ')
}

const timeNames = /^(at|since|slot|due|notBefore|.*At)$/

/** Numbers under a name that means a time become RFC 3339; content of records is left as it is. */
export const withIsoTimes = (value: unknown, name = ''): unknown => {
  if (typeof value === 'number' && timeNames.test(name) && Number.isFinite(value)) return isoText(value)
  if (Array.isArray(value)) return value.map((one) => withIsoTimes(one, name))
  if (typeof value !== 'object' || value === null || name === 'fields' || name === 'content') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withIsoTimes(one, key)]))
}

export const isoText = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))
