/** Knows how a codec is shown to a person: one row per field, nested ones with their path. Does not know what it is for. */
import * as t from 'io-ts'
import type ts from 'typescript'
import { fieldOf, innerOf, partOf } from './notes.ts'

export type Row = { readonly field: string; readonly optional: boolean; readonly type: string; readonly note: string }
/** Names of the codecs that have a section of their own. */
export type Names = ReadonlyMap<t.Mixed, string>

type Source = ts.Expression | undefined

/** The rows of an object codec; empty for anything else. Codecs with a section of their own are not opened. */
export const rowsOf = (names: Names, codec: t.Mixed, source: Source, path = '', optional = false): ReadonlyArray<Row> => {
  if (codec instanceof t.IntersectionType) {
    return (codec.types as ReadonlyArray<t.Mixed>).flatMap((part, n) => rowsOf(names, part, partOf(source, n)?.node, path, optional))
  }
  if (!(codec instanceof t.InterfaceType || codec instanceof t.PartialType)) {
    return codec instanceof t.DictionaryType && path === '' ? [{ field: '*', optional: true, type: typeOf(names, codec.codomain as t.Mixed), note: 'any other field' }] : []
  }
  return Object.entries(codec.props as Record<string, t.Mixed>).flatMap(([name, field]) => {
    const found = fieldOf(source, name)
    const isOptional = optional || codec instanceof t.PartialType
    const notes = [found?.note, field instanceof t.KeyofType ? found?.ofName : undefined].filter((one) => one !== undefined && one !== '')
    const row: Row = { field: `${path}${name}`, optional: isOptional, type: typeOf(names, field), note: notes.join(' ') }
    const [inside, insideSource, suffix] = insideOf(field, found?.node, '')
    if (names.has(inside) || names.has(field)) return [row]
    return [row, ...rowsOf(names, inside, insideSource, `${path}${name}${suffix}.`, false)]
  })
}

/** Through lists and records to what they hold. */
const insideOf = (codec: t.Mixed, source: Source, suffix: string): readonly [t.Mixed, Source, string] => {
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return insideOf(codec.type as t.Mixed, innerOf(source), `${suffix}[]`)
  if (codec instanceof t.DictionaryType) return insideOf(codec.codomain as t.Mixed, innerOf(source), `${suffix}.*`)
  return [codec, source, suffix]
}

export const typeOf = (names: Names, codec: t.Mixed): string => {
  const name = names.get(codec)
  if (name !== undefined) return `[${name}](#${name.toLowerCase().replaceAll('.', '')})`
  if (codec instanceof t.StringType) return 'text'
  if (codec instanceof t.NumberType) return 'number'
  if (codec instanceof t.BooleanType) return 'true or false'
  if (codec instanceof t.NullType) return 'null'
  if (codec instanceof t.UnknownType) return 'any JSON'
  if (codec instanceof t.LiteralType) return `\`${String(codec.value)}\``
  if (codec instanceof t.KeyofType) return Object.keys(codec.keys as object).map((key) => `\`${key}\``).join(', ')
  if (codec instanceof t.UnionType) return (codec.types as ReadonlyArray<t.Mixed>).map((member) => (isObject(member) ? shortOf(names, member) : typeOf(names, member))).join(' or ')
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return `list of ${plural(typeOf(names, codec.type as t.Mixed))}`
  if (codec instanceof t.DictionaryType) return `object of ${plural(typeOf(names, codec.codomain as t.Mixed))}`
  return 'object'
}

const plural = (type: string): string => ({ text: 'texts', number: 'numbers', object: 'objects' })[type] ?? type

export const isObject = (codec: t.Mixed): boolean => codec instanceof t.InterfaceType || codec instanceof t.PartialType || codec instanceof t.IntersectionType

/** `{ is: present, fields, modifiedAt? }`: a member of a union that has no name. */
const shortOf = (names: Names, codec: t.Mixed): string => {
  const rows = rowsOf(names, codec, undefined).filter(({ field }) => !/[.[]/.test(field))
  return `{ ${rows.map(({ field, optional, type }) => (type.startsWith('`') && !type.includes(',') ? `${field}: ${type}` : `${field}${optional ? '?' : ''}`)).join(', ')} }`
}

export const tableOf = (rows: ReadonlyArray<Row>): string =>
  ['| field | | meaning |', '|---|---|---|', ...rows.map(({ field, optional, type, note }) => `| \`${field}${optional ? '?' : ''}\` | ${type} | ${cell(note)} |`)].join('\n')

/** As text of a table. References to the design notes mean nothing to a reader of this page. */
export const cell = (text: string): string => {
  const plain = text.replace(/(?:(?:SYNC|NATS)\.md §[\w.]+|DESIGN §\d+|R \d+\.\w+)(?:, [\d.]+)*:? ?/g, '').replace(/ ?\( ?\)/g, '').replaceAll('|', '\\|')
  return plain.split('`').map((part, n) => (n % 2 === 0 ? part.replaceAll('<', '&lt;') : part)).join('`')
}
