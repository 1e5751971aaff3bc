/** Values of any codec, read off the codec itself; and the same values with fields added that the codec does not name. */
import fc from 'fast-check'
import * as t from 'io-ts'
import { ConnectionId, FlowId, RunId } from '#libs/domain/ids.ts'
import { arbitraryJson, arbitraryName, arbitraryText } from './json.ts'

const brands = new Map<t.Mixed, fc.Arbitrary<unknown>>([
  [ConnectionId, fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)],
  [FlowId, fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)],
  [RunId, fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)],
])

/** Small ones. Fails for a kind of codec that no contract uses yet: teach it here. */
export const arbitraryOf = (codec: t.Mixed): fc.Arbitrary<unknown> => {
  const brand = brands.get(codec)
  if (brand !== undefined) return brand
  if (codec instanceof t.StringType) return arbitraryText()
  if (codec instanceof t.NumberType) return fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0))
  if (codec instanceof t.BooleanType) return fc.boolean()
  if (codec instanceof t.NullType) return fc.constant(null)
  if (codec instanceof t.UnknownType) return arbitraryJson()
  if (codec instanceof t.LiteralType) return fc.constant(codec.value)
  if (codec instanceof t.KeyofType) return fc.constantFrom(...Object.keys(codec.keys as object))
  if (codec instanceof t.UnionType) return fc.oneof(...(codec.types as ReadonlyArray<t.Mixed>).map(arbitraryOf))
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return fc.array(arbitraryOf(codec.type as t.Mixed), { maxLength: 3 })
  if (codec instanceof t.DictionaryType) return fc.dictionary(arbitraryName(), arbitraryOf(codec.codomain as t.Mixed), { maxKeys: 3, noNullPrototype: true })
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) {
    const fields = Object.fromEntries(Object.entries(codec.props as Record<string, t.Mixed>).map(([name, field]) => [name, arbitraryOf(field)]))
    return fc.record(fields, { requiredKeys: codec instanceof t.PartialType ? [] : Object.keys(fields), noNullPrototype: true })
  }
  // Named fields stand above what a record beside them makes of the same names
  if (codec instanceof t.IntersectionType) {
    const parts = (codec.types as ReadonlyArray<t.Mixed>).toSorted((a, b) => Number(b instanceof t.DictionaryType) - Number(a instanceof t.DictionaryType))
    return fc.tuple(...parts.map(arbitraryOf)).map((values): unknown => Object.assign({}, ...values))
  }
  throw new Error(`no arbitrary for ${codec.name}`)
}

/** `value`, which the codec must accept, with the field `name` in every object that lists its fields. */
export const withStrangers = (codec: t.Mixed, value: unknown, name: string): unknown => {
  if (codec instanceof t.RefinementType) return withStrangers(codec.type as t.Mixed, value, name)
  if (codec instanceof t.UnionType) {
    const member = (codec.types as ReadonlyArray<t.Mixed>).find((one) => one.is(value))
    return member === undefined ? value : withStrangers(member, value, name)
  }
  if (Array.isArray(value)) {
    return codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType ? value.map((one) => withStrangers(codec.type as t.Mixed, one, name)) : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (codec instanceof t.DictionaryType) return mapValues(value, (one) => withStrangers(codec.codomain as t.Mixed, one, name))
  const fields = fieldsOf(codec)
  if (fields === undefined) return value
  const inside = mapValues(value, (one, key) => withStrangers(fields.named.get(key) ?? t.unknown, one, name))
  return fields.open ? inside : { ...inside, [name]: { nobody: 'knows this' } }
}

/** The names an object codec lists; `open` when it takes others too. undefined for what is not an object. */
export const fieldsOf = (codec: t.Mixed): { readonly named: ReadonlyMap<string, t.Mixed>; readonly open: boolean } | undefined => {
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return { named: new Map(Object.entries(codec.props as Record<string, t.Mixed>)), open: false }
  if (codec instanceof t.DictionaryType) return { named: new Map(), open: true }
  if (!(codec instanceof t.IntersectionType)) return undefined
  const parts = (codec.types as ReadonlyArray<t.Mixed>).flatMap((part) => fieldsOf(part) ?? [])
  return { named: new Map(parts.flatMap(({ named }) => [...named])), open: parts.some(({ open }) => open) }
}

const mapValues = (value: object, change: (inner: unknown, key: string) => unknown): object =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner, key)]))
