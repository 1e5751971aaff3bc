/**
 * Knows one vCard (3.0, 4.0, tolerates 2.1) as lossless, mergeable fields and back. Does not know what a contact means.
 * Field = property name; its values are canonical content lines. A property that stands at most once is one string,
 * anything else a sorted list, which is a set. Properties tied by a numbered group (item1.TEL + item1.X-ABLabel) are one
 * value of several lines without the number: numbers are chosen anew by every program, and two sides' labels must not mix.
 */
import { E } from '../fp.ts'
import type { Json } from '../domain/json.ts'
import { canonicalLines, escapeText, unescapeText, type Dialect } from './canonical-line.ts'
import { parseComponents, type Component } from './components.ts'
import { fold, parseContentLine, type ContentLine } from './content-lines.ts'
import { joinedLists, valuesOf, type FieldText } from './field-values.ts'
import { instantOf, stampOf } from './instant.ts'
import { from21 } from './vcard-21.ts'

export type VcardVersion = '2.1' | '3.0' | '4.0'
export type ParsedVcard = {
  readonly uid: string | null
  readonly fields: Record<string, Json>
  readonly version: VcardVersion
  /** REV as RFC 3339, when it is an instant. */
  readonly rev?: string
}

const vcardDialect: Dialect = {
  namesIn: new Set(['TYPE', 'VALUE', 'ENCODING', 'CALSCALE']),
  caseOfNames: 'lower',
  ordered: new Set(['SORT-AS']),
  text: new Set(['FN', 'NOTE', 'TITLE', 'ROLE', 'LABEL', 'MAILER', 'SORT-STRING']),
  structured: new Map([['N', 5], ['ADR', 7], ['ORG', 0]]),
  lists: new Set(['CATEGORIES', 'NICKNAME']),
  rawLists: new Set(),
  single: new Set(['FN', 'N', 'BDAY', 'ANNIVERSARY', 'GENDER', 'KIND', 'NOTE', 'ORG', 'TITLE', 'ROLE', 'PHOTO', 'LOGO', 'GEO', 'TZ', 'CLASS', 'MAILER', 'SORT-STRING']),
  ignored: new Set(['PRODID', 'REV', 'UID', 'VERSION', 'X-RADICALE-NAME']),
}

export const parseVcard = (text: string): E.Either<string, ParsedVcard> => {
  const is21 = /^VERSION:2\.1\s*$/im.test(text)
  const parsed = parseComponents(text, is21)
  if (E.isLeft(parsed)) return parsed
  const [card, second] = parsed.right
  if (card?.name !== 'VCARD') return E.left(`line ${card?.at ?? 1}: not a vCard`)
  if (second !== undefined) return E.left(`line ${second.at}: more than one vCard`)
  const nested = card.components[0]
  if (nested !== undefined) return E.left(`line ${nested.at}: a component inside the vCard`)
  const fields = fieldsOf(card, is21)
  if (E.isLeft(fields)) return fields
  const uids = new Set(card.lines.filter(({ name }) => name === 'UID').map(({ value }) => unescapeText(value).trim()))
  uids.delete('')
  if (uids.size > 1) return E.left(`line ${card.at}: more than one UID`)
  const rev = instantOf(card.lines.find(({ name }) => name === 'REV')?.value ?? '')
  return E.right({ uid: [...uids][0] ?? null, fields: fields.right, version: versionOf(card), ...(rev === null ? {} : { rev }) })
}

const versionOf = (card: Component): VcardVersion => {
  const version = card.lines.find(({ name }) => name === 'VERSION')?.value.trim()
  return version === '4.0' || version === '2.1' ? version : '3.0'
}

const fieldsOf = (card: Component, is21: boolean): E.Either<string, Record<string, Json>> => {
  const values = new Map<string, Set<string>>()
  const groups = new Map<string, Array<ContentLine>>()
  const add = (name: string, value: string) => values.set(name, (values.get(name) ?? new Set()).add(value))
  for (const read of card.lines) {
    if (vcardDialect.ignored.has(read.name)) continue
    const modern = is21 ? from21(read) : E.right(read)
    if (E.isLeft(modern)) return E.left(`line ${read.at}: ${modern.left}`)
    const line = tidied(modern.right)
    if (line.group === null || !/\d$/.test(line.group)) for (const one of canonicalLines(line, vcardDialect)) add(line.name, one)
    else groups.set(line.group, [...(groups.get(line.group) ?? []), { ...line, group: null }])
  }
  for (const members of groups.values()) {
    const lines = members.flatMap((line) => canonicalLines(line, vcardDialect).map((text) => ({ name: line.name, text })))
    const primary = primaryOf(members.map(({ name }) => name))
    lines.sort((a, b) => rank(a.name, primary) - rank(b.name, primary) || (a.text < b.text ? -1 : 1))
    add(primary, [...new Set(lines.map(({ text }) => text))].join('\n'))
  }
  return E.right(valuesOf(values, vcardDialect.single))
}

/** The property a group is about: Apple's X-AB… only say something about it. */
const primaryOf = (names: ReadonlyArray<string>): string => {
  const sorted = [...names].sort()
  return sorted.find((name) => !name.startsWith('X-')) ?? sorted.find((name) => name !== 'X-ABLABEL' && name !== 'X-ABADR') ?? sorted[0] ?? ''
}

const rank = (name: string, primary: string): number => (name === primary ? 0 : 1)

const tidied = (line: ContentLine): ContentLine => {
  const parameters = line.parameters.map(([name, values]): ContentLine['parameters'][number] =>
    name === '' ? ['TYPE', values] : name === 'ENCODING' && /^base64$/i.test(values[0] ?? '') ? [name, ['b']] : [name, values])
  const isBase64 = parameters.some(([name, values]) => name === 'ENCODING' && /^b$/i.test(values[0] ?? ''))
  return { ...line, parameters, value: isBase64 ? line.value.replace(/\s+/g, '') : line.value }
}

/**
 * Text with CRLF and folded lines. The version is that of the previous text (2.1 is written as 3.0); a new card gets the
 * one its fields are shaped for, else 3.0, which every CardDAV server must take (RFC 6352 §3) and which demands N.
 * `rev` is an RFC 3339 instant; without it no REV is written, as the old one would be wrong.
 */
export const formatVcard = (uid: string | null, fields: { readonly [name: string]: Json }, previous?: string, rev?: string): E.Either<string, string> => {
  const checked = joinedLists(fields, vcardDialect, parseContentLine)
  if (E.isLeft(checked)) return checked
  const stamp = rev === undefined ? null : stampOf(rev)
  if (rev !== undefined && stamp === null) return E.left('rev is not an RFC 3339 UTC instant')
  const lines = ['BEGIN:VCARD', `VERSION:${versionFor(checked.right, previous)}`]
  if (uid !== null) lines.push(`UID:${escapeText(uid)}`)
  let groups = 0
  for (const { lines: members } of [...checked.right].sort((a, b) => order(a.field) - order(b.field))) {
    const group = members.length > 1 ? `item${(groups += 1)}.` : ''
    for (const member of members) lines.push(group + member)
  }
  if (stamp !== null) lines.push(`REV:${stamp}`)
  return E.right([...lines, 'END:VCARD'].map(fold).join(''))
}

const order = (field: string): number => (field === 'FN' ? 0 : field === 'N' ? 1 : 2)

const only30 = /^(?:[\w-]+\.)?(?:(?:LABEL|AGENT|CLASS|MAILER|SORT-STRING)[;:]|[^:]*;ENCODING=b[;:]|[^:]*;TYPE=(?:[^:;]*,)?pref[,;:])/
const only40 = /^(?:[\w-]+\.)?(?:(?:KIND|GENDER|ANNIVERSARY|MEMBER|RELATED|LANG|XML|CLIENTPIDMAP)[;:]|[^:]*;(?:PREF|MEDIATYPE|ALTID|PID|SORT-AS)=|(?:PHOTO|LOGO|SOUND|KEY)[;:][^:]*:?data:)/

const versionFor = (texts: ReadonlyArray<FieldText>, previous: string | undefined): '3.0' | '4.0' => {
  const before = previous === undefined ? null : parseVcard(previous)
  if (before !== null && E.isRight(before)) return before.right.version === '4.0' ? '4.0' : '3.0'
  const lines = texts.flatMap((text) => text.lines)
  if (lines.some((line) => only30.test(line))) return '3.0'
  return lines.some((line) => only40.test(line)) || !lines.some((line) => /^N[;:]/.test(line)) ? '4.0' : '3.0'
}
