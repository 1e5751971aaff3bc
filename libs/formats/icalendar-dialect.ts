/** Knows which iCalendar properties have which syntax, and the canonical text of a whole component. Does not know resources. */
import { E } from '../fp.ts'
import { canonicalLines, type Dialect } from './canonical-line.ts'
import type { Component, NumberedLine } from './components.ts'

export const icalendarDialect: Dialect = {
  namesIn: new Set(['CUTYPE', 'ROLE', 'PARTSTAT', 'RSVP', 'FBTYPE', 'RELTYPE', 'RANGE', 'RELATED', 'ENCODING', 'VALUE', 'SCHEDULE-AGENT', 'SCHEDULE-FORCE-SEND']),
  caseOfNames: 'upper',
  ordered: new Set(),
  text: new Set(['SUMMARY', 'DESCRIPTION', 'LOCATION', 'COMMENT', 'CONTACT']),
  structured: new Map(),
  lists: new Set(['CATEGORIES', 'RESOURCES']),
  rawLists: new Set(['EXDATE', 'RDATE', 'FREEBUSY']),
  single: new Set([
    'DTSTART', 'DTEND', 'DURATION', 'DUE', 'COMPLETED', 'PERCENT-COMPLETE', 'RECURRENCE-ID', 'RRULE', 'SUMMARY', 'DESCRIPTION',
    'LOCATION', 'GEO', 'CLASS', 'STATUS', 'TRANSP', 'PRIORITY', 'SEQUENCE', 'ORGANIZER', 'URL', 'COLOR', 'BUSYTYPE',
  ]),
  ignored: new Set(['UID', 'DTSTAMP', 'CREATED', 'LAST-MODIFIED', 'PRODID', 'METHOD', 'X-RADICALE-NAME']),
}

const ignoredInside = new Set(['DTSTAMP', 'CREATED', 'LAST-MODIFIED'])

export const misreadLine = (line: NumberedLine): string | null => {
  if (line.group !== null) return `line ${line.at}: a group before the property name`
  return line.parameters.some(([name]) => name === '') ? `line ${line.at}: a parameter without a value` : null
}

/** One text per meaning: the order of lines and inner components, and times of edit, say nothing. */
export const componentText = (component: Component): E.Either<string, string> => {
  const lines: Array<string> = []
  for (const line of component.lines) {
    if (ignoredInside.has(line.name)) continue
    const misread = misreadLine(line)
    if (misread !== null) return E.left(misread)
    lines.push(...canonicalLines(line, icalendarDialect))
  }
  const inner: Array<string> = []
  for (const nested of component.components) {
    const text = componentText(nested)
    if (E.isLeft(text)) return text
    inner.push(text.right)
  }
  return E.right([`BEGIN:${component.name}`, ...lines.sort(), ...inner.sort(), `END:${component.name}`].join('\n'))
}
