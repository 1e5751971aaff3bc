/**
 * Knows how to leave out of a value what its codec does not name: io-ts's own `encode` lets unknown fields pass. What is
 * to be done is worked out once per codec; a value with nothing to leave out is answered as it is, not copied.
 */
import * as t from 'io-ts'

type Strip = (value: unknown) => unknown

/** undefined: there is nothing in such a value that could be unknown. */
type Stripper = Strip | undefined

/** The fields of an object codec. `open`: it takes any further names, as a record does. */
type Shape = { readonly fields: ReadonlyMap<string, Stripper>; readonly open: boolean }

export const exactly = (codec: t.Mixed): Strip => stripperOf(codec) ?? ((value) => value)

/** Whether the codec's own `encode` would answer every value as it is; that of an intersection copies it, part by part. */
export const isPlain = (codec: t.Mixed): boolean =>
  codec instanceof t.IntersectionType || codec instanceof t.UnionType ? (codec.types as ReadonlyArray<t.Mixed>).every(isPlain)
  : codec instanceof t.InterfaceType || codec instanceof t.PartialType ? Object.values(codec.props as Record<string, t.Mixed>).every(isPlain)
  : codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType || codec instanceof t.ReadonlyType || codec instanceof t.RefinementType ? isPlain(codec.type as t.Mixed)
  : codec instanceof t.DictionaryType ? isPlain(codec.codomain as t.Mixed)
  : codec.encode === t.identity

const stripperOf = (codec: t.Mixed): Stripper => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType || codec instanceof t.ExactType) return stripperOf(codec.type as t.Mixed)
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return eachOf(stripperOf(codec.type as t.Mixed))
  if (codec instanceof t.DictionaryType) return valuesOf(stripperOf(codec.codomain as t.Mixed))
  if (codec instanceof t.UnionType) return memberOf((codec.types as ReadonlyArray<t.Mixed>).map((member) => [member, stripperOf(member)]))
  const shape = shapeOf(codec)
  return shape === undefined ? undefined : fieldsOf(shape)
}

const shapeOf = (codec: t.Mixed): Shape | undefined => {
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) {
    const props = Object.entries(codec.props as Record<string, t.Mixed>)
    return { fields: new Map(props.map(([name, field]) => [name, stripperOf(field)])), open: false }
  }
  if (codec instanceof t.DictionaryType) return { fields: new Map(), open: true }
  if (!(codec instanceof t.IntersectionType)) return undefined
  const shapes = (codec.types as ReadonlyArray<t.Mixed>).flatMap((member) => shapeOf(member) ?? [])
  return { fields: new Map(shapes.flatMap(({ fields }) => [...fields])), open: shapes.some(({ open }) => open) }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

const fieldsOf = ({ fields, open }: Shape): Stripper => {
  if (open && [...fields.values()].every((strip) => strip === undefined)) return undefined
  return (value) => {
    if (!isObject(value)) return value
    let kept: Record<string, unknown> | undefined
    for (const name in value) {
      const strip = fields.get(name)
      const isKnown = strip !== undefined || open || fields.has(name)
      const inner = strip === undefined ? value[name] : strip(value[name])
      if (isKnown && inner === value[name]) continue
      kept ??= { ...value }
      if (isKnown) kept[name] = inner
      else delete kept[name]
    }
    return kept ?? value
  }
}

const valuesOf = (strip: Stripper): Stripper => strip && ((value) => {
  if (!isObject(value)) return value
  let kept: Record<string, unknown> | undefined
  for (const name in value) {
    const inner = strip(value[name])
    if (inner !== value[name]) (kept ??= { ...value })[name] = inner
  }
  return kept ?? value
})

const eachOf = (strip: Stripper): Stripper => strip && ((value) => {
  if (!Array.isArray(value)) return value
  const kept: ReadonlyArray<unknown> = value.map(strip)
  return kept.some((inner, i) => inner !== value[i]) ? kept : value
})

/** What no member knows is left as it is: the listener's report will name it. */
const memberOf = (members: ReadonlyArray<readonly [t.Mixed, Stripper]>): Stripper =>
  members.every(([, strip]) => strip === undefined)
    ? undefined
    : (value) => {
        if (!isObject(value)) return value
        const [, strip] = members.find(([member]) => member.is(value)) ?? []
        return strip === undefined ? value : strip(value)
      }
