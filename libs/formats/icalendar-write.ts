/** Knows how fields become the text of an iCalendar resource, each checked. Does not know how they were read. */
import { E } from '../fp.ts'
import { isList, type Json } from '../domain/json.ts'
import { escapeText } from './canonical-line.ts'
import { parseComponents, type Component } from './components.ts'
import { fold, parseContentLine } from './content-lines.ts'
import { joinedLists } from './field-values.ts'
import { icalendarDialect } from './icalendar-dialect.ts'
import { stampOf } from './instant.ts'

type Fields = { readonly [name: string]: Json }

/** Used only when neither the caller nor the previous text knows better: any fixed instant will do. */
const noStamp = '19700101T000000Z'

/** `known`: the items of the previous text by their key. */
export const writeIcalendar = (uid: string | null, fields: Fields, known: ReadonlyMap<string, Component>, stamp?: string): E.Either<string, string> => {
  const given = stamp === undefined ? null : stampOf(stamp)
  if (stamp !== undefined && given === null) return E.left('stamp is not an RFC 3339 UTC instant')
  const before: Array<string> = []
  const after: Array<string> = []
  const items = new Map<string, Record<string, Json>>()
  for (const field of Object.keys(fields).sort()) {
    const value = fields[field] ?? null
    const [, item, name] = /^([A-Z0-9_-]+(?:\[[0-9TZ]+\])?)\/([A-Z0-9_-]+)$/.exec(field) ?? []
    if (!field.startsWith('VTIMEZONE/') && item !== undefined && name !== undefined) {
      items.set(item, { ...items.get(item), [name]: value })
      continue
    }
    const lines = componentLines(field.startsWith('VTIMEZONE/') ? 'VTIMEZONE' : field, value)
    if (E.isLeft(lines)) return lines
    ;(field.startsWith('VTIMEZONE/') ? before : after).push(...lines.right)
  }
  if (items.size === 0) return E.left('no fields of an event, to-do or journal entry')
  // The master, whose key has no bracket, sorts before its overrides.
  for (const [key, properties] of [...items].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lines = itemLines(key, properties)
    if (E.isLeft(lines)) return lines
    const name = key.replace(/\[.*/, '')
    const stamps = [`DTSTAMP:${given ?? oldValue(known.get(key), 'DTSTAMP') ?? anyStamp(known) ?? noStamp}`]
    const created = oldValue(known.get(key), 'CREATED')
    if (created !== undefined) stamps.push(`CREATED:${created}`)
    if (given !== null) stamps.push(`LAST-MODIFIED:${given}`)
    before.push(`BEGIN:${name}`, ...(uid === null ? [] : [`UID:${escapeText(uid)}`]), ...stamps, ...lines.right, `END:${name}`)
  }
  return E.right(['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Syncline//Syncline//EN', ...before, ...after, 'END:VCALENDAR'].map(fold).join(''))
}

const itemLines = (key: string, properties: Fields): E.Either<string, ReadonlyArray<string>> => {
  const recurrence = /\[(.*)\]$/.exec(key)?.[1]
  const plain: Record<string, Json> = {}
  const components: Array<string> = []
  for (const [name, value] of Object.entries(properties)) {
    if (isList(value) && value.some((one) => typeof one === 'string' && one.startsWith('BEGIN:'))) {
      const lines = componentLines(name, value)
      if (E.isLeft(lines)) return lines
      components.push(...lines.right)
    } else plain[name] = value
  }
  const texts = joinedLists(plain, icalendarDialect, parseContentLine)
  if (E.isLeft(texts)) return texts
  if (texts.right.some(({ lines }) => lines.length > 1 || /^[\w-]+\./.test(lines[0] ?? ''))) return E.left(`${key}: a grouped value`)
  const lines = texts.right.flatMap((text) => text.lines)
  const own = lines.filter((line) => /^RECURRENCE-ID[;:]/.test(line)).map((line) => line.slice(line.lastIndexOf(':') + 1).trim())
  // A merge may leave parts of an override whose occurrence was deleted on the other side.
  if (own.length > 1 || own[0] !== recurrence) return E.left(`${key}: RECURRENCE-ID is missing or another`)
  return E.right([...lines, ...components])
}

const componentLines = (name: string, value: Json): E.Either<string, ReadonlyArray<string>> => {
  const lines: Array<string> = []
  for (const text of isList(value) ? value : [value]) {
    const parsed = typeof text === 'string' ? parseComponents(text) : E.left('not text')
    if (E.isLeft(parsed) || parsed.right.length !== 1 || parsed.right[0]?.name !== name) return E.left(`${name}: a value that is no ${name} component`)
    lines.push(...(text as string).split(/\r\n?|\n/))
  }
  return E.right(lines)
}

const oldValue = (item: Component | undefined, name: string): string | undefined =>
  item?.lines.find((line) => line.name === name)?.value.trim()

const anyStamp = (known: ReadonlyMap<string, Component>): string | undefined =>
  [...known.values()].flatMap((item) => oldValue(item, 'DTSTAMP') ?? []).sort().at(-1)
