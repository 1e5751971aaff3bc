/**
 * Knows one iCalendar resource (one UID: master, overrides, their alarms and time zones) as lossless, mergeable fields
 * and back. Does not expand recurrences, compute times or know what an event means.
 * Keys: `VEVENT/SUMMARY`, `VEVENT[20260101T100000Z]/SUMMARY` for an override, `VEVENT/VALARM`, `VTIMEZONE/<tzid>`.
 */
import { E } from '../fp.ts'
import type { Json } from '../domain/json.ts'
import { canonicalLines, unescapeText } from './canonical-line.ts'
import { parseComponents, type Component } from './components.ts'
import { valuesOf } from './field-values.ts'
import { componentText, icalendarDialect, misreadLine } from './icalendar-dialect.ts'
import { writeIcalendar } from './icalendar-write.ts'
import { instantOf } from './instant.ts'

export type ParsedIcalendar = {
  readonly uid: string | null
  readonly fields: Record<string, Json>
  /** Latest LAST-MODIFIED of the series as RFC 3339. */
  readonly rev?: string
}

const itemKinds = new Set(['VEVENT', 'VTODO', 'VJOURNAL', 'VFREEBUSY', 'VAVAILABILITY'])

export const parseIcalendar = (text: string): E.Either<string, ParsedIcalendar> => {
  const calendar = calendarOf(text)
  if (E.isLeft(calendar)) return calendar
  const items = calendar.right.components.filter(({ name }) => itemKinds.has(name))
  const fields: Record<string, Json> = {}
  const occurrences = new Set<string>()
  const uids = new Set<string>()
  let rev: string | null = null
  for (const item of items) {
    const key = keyOf(item)
    if (E.isLeft(key)) return key
    const read = itemFields(item, key.right)
    if (E.isLeft(read)) return read
    if (occurrences.size === occurrences.add(key.right).size) return E.left(`line ${item.at}: a second component for the same occurrence`)
    if (item.name !== items[0]?.name) return E.left(`line ${item.at}: different kinds of component in one resource`)
    Object.assign(fields, read.right)
    uids.add(unescapeText(valueIn(item, 'UID') ?? '').trim())
    if (uids.size > 1) return E.left(`line ${item.at}: a second UID in one resource`)
    const modified = instantOf(valueIn(item, 'LAST-MODIFIED') ?? '')
    if (modified !== null && (rev === null || modified > rev)) rev = modified
  }
  const others = otherFields(calendar.right)
  if (E.isLeft(others)) return others
  if (items.length === 0) return E.left(`line ${calendar.right.at}: a calendar without an event, to-do or journal entry`)
  const [uid = ''] = uids
  return E.right({ uid: uid === '' ? null : uid, fields: { ...fields, ...others.right }, ...(rev === null ? {} : { rev }) })
}

/**
 * Text with CRLF and folded lines. DTSTAMP (and LAST-MODIFIED) come from `stamp`, an RFC 3339 instant; without it DTSTAMP
 * is that of the previous text. CREATED is the previous one.
 */
export const formatIcalendar = (uid: string | null, fields: { readonly [name: string]: Json }, previous?: string, stamp?: string): E.Either<string, string> => {
  const before = previous === undefined ? null : calendarOf(previous)
  const known = new Map<string, Component>()
  for (const item of before === null || E.isLeft(before) ? [] : before.right.components) {
    const key = keyOf(item)
    if (E.isRight(key)) known.set(key.right, item)
  }
  return writeIcalendar(uid, fields, known, stamp)
}

const calendarOf = (text: string): E.Either<string, Component> => {
  const parsed = parseComponents(text)
  if (E.isLeft(parsed)) return parsed
  const [calendar, second] = parsed.right
  if (calendar?.name !== 'VCALENDAR') return E.left(`line ${calendar?.at ?? 1}: not a calendar`)
  return second === undefined ? E.right(calendar) : E.left(`line ${second.at}: more than one calendar`)
}

const valueIn = (component: Component, name: string): string | undefined => component.lines.find((line) => line.name === name)?.value

/** `VEVENT`, or `VEVENT[<recurrence id>]` for an override. */
const keyOf = (item: Component): E.Either<string, string> => {
  const recurrence = valueIn(item, 'RECURRENCE-ID')?.trim()
  if (recurrence === undefined) return E.right(item.name)
  return /^\d{8}(T\d{6}Z?)?$/.test(recurrence) ? E.right(`${item.name}[${recurrence}]`) : E.left(`line ${item.at}: a RECURRENCE-ID that is no date`)
}

const itemFields = (item: Component, key: string): E.Either<string, Record<string, Json>> => {
  const values = new Map<string, Set<string>>()
  const add = (name: string, value: string) => values.set(name, (values.get(name) ?? new Set()).add(value))
  for (const line of item.lines) {
    if (icalendarDialect.ignored.has(line.name)) continue
    const misread = misreadLine(line)
    if (misread !== null) return E.left(misread)
    for (const text of canonicalLines(line, icalendarDialect)) add(line.name, text)
  }
  for (const inner of item.components) {
    const text = componentText(inner)
    if (E.isLeft(text)) return text
    add(inner.name, text.right)
  }
  return values.size === 0 ? E.left(`line ${item.at}: an empty component`) : E.right(valuesOf(values, icalendarDialect.single, `${key}/`))
}

/** Time zones by their id; components we do not know are kept as they are. Properties of the calendar itself are volatile. */
const otherFields = (calendar: Component): E.Either<string, Record<string, Json>> => {
  const fields: Record<string, Json> = {}
  const unknown = new Map<string, Set<string>>()
  for (const component of calendar.components) {
    if (itemKinds.has(component.name)) continue
    const text = componentText(component)
    if (E.isLeft(text)) return text
    if (component.name !== 'VTIMEZONE') {
      unknown.set(component.name, (unknown.get(component.name) ?? new Set()).add(text.right))
      continue
    }
    const id = valueIn(component, 'TZID')?.trim().normalize('NFC') ?? ''
    if (id === '') return E.left(`line ${component.at}: a VTIMEZONE without TZID`)
    const key = `VTIMEZONE/${id}`
    if (fields[key] !== undefined && fields[key] !== text.right) return E.left(`line ${component.at}: two different VTIMEZONE with one TZID`)
    fields[key] = text.right
  }
  return E.right({ ...fields, ...valuesOf(unknown, new Set()) })
}
