/**
 * Knows how a flow's `fields` map joins two sides' names. The engine compares and hashes in the destination's names; only
 * mapped fields take part, and what a side has beside them is left as it was.
 */
import type { Fields, Item } from '#libs/domain/record.ts'
import type { SideName } from './classify.ts'

/** destination field → source field; undefined = all fields by their own names. */
export type FieldMap = Readonly<Record<string, string>> | undefined

/** A side's item in common names. */
export const toCommon = (item: Item, side: SideName, map: FieldMap): Item => {
  if (map === undefined) return item
  const fields: Record<string, Fields[string]> = {}
  for (const [destination, source] of Object.entries(map)) {
    const value = item.fields[side === 'source' ? source : destination]
    if (value !== undefined) fields[destination] = value
  }
  return { ...item, fields }
}

/** Common fields in the names of the side they are written to. */
export const fromCommon = (fields: Fields, side: SideName, map: FieldMap): Fields => {
  if (map === undefined || side === 'destination') return fields
  const own: Record<string, Fields[string]> = {}
  for (const [destination, source] of Object.entries(map)) {
    const value = fields[destination]
    if (value !== undefined) own[source] = value
  }
  return own
}
