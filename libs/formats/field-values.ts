/**
 * Knows how canonical lines become field values (one string, or a sorted list which is a set) and lines again, checked.
 * Does not know components or groups.
 */
import { E } from '../fp.ts'
import { isList, type Json } from '../domain/json.ts'
import { headOf, type ContentLine } from './content-lines.ts'
import type { Dialect } from './canonical-line.ts'

/** The lines of one value of a field; several are a group that stays together. */
export type FieldText = { readonly field: string; readonly lines: ReadonlyArray<string> }

export const valuesOf = (values: ReadonlyMap<string, ReadonlySet<string>>, single: ReadonlySet<string>, prefix = ''): Record<string, Json> => {
  const fields: Record<string, Json> = {}
  for (const name of [...values.keys()].sort()) {
    const sorted = [...(values.get(name) ?? [])].sort()
    const [one] = sorted
    fields[prefix + name] = one !== undefined && sorted.length === 1 && single.has(name) ? one : sorted
  }
  return fields
}

/** Fields may come from a merge or a mapping: nothing is written that would not read back as the same property. */
export const joinedLists = (
  fields: { readonly [name: string]: Json },
  dialect: Dialect,
  parse: (line: string) => E.Either<string, ContentLine>,
): E.Either<string, ReadonlyArray<FieldText>> => {
  const texts: Array<FieldText> = []
  for (const field of Object.keys(fields).sort()) {
    const value = fields[field] ?? null
    const joined = new Map<string, Array<string>>()
    for (const text of isList(value) ? value : [value]) {
      if (typeof text !== 'string') return E.left(`${field}: a value that is not text`)
      const lines = text.split('\n')
      const parsed: Array<ContentLine> = []
      for (const line of lines) {
        const one = parse(line)
        if (E.isLeft(one) || /[\r\0]/.test(line) || structural.has(one.right.name)) return E.left(`${field}: a value that is no ${field} line`)
        parsed.push(one.right)
      }
      const [only] = parsed
      if (!parsed.some(({ name }) => name === field)) return E.left(`${field}: a value that is no ${field} line`)
      const isPart = lines.length === 1 && only !== undefined && (dialect.lists.has(field) || dialect.rawLists.has(field))
      // An empty value would vanish between its neighbours.
      if (!isPart || only.value === '') texts.push({ field, lines })
      else joined.set(headOf(only), [...(joined.get(headOf(only)) ?? []), only.value])
    }
    for (const [head, values] of joined) texts.push({ field, lines: [`${head}:${values.join(',')}`] })
  }
  return E.right(texts)
}

const structural = new Set(['BEGIN', 'END', 'VERSION', 'UID'])
