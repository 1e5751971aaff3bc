/**
 * Knows which texts PostgreSQL gives back exactly as it took them, by type. Pure. Says no when in doubt: then the row is
 * read back, which costs time but is never wrong.
 */
import type { Column } from './table.ts'

const day = '(?!0000)\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])'
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{0,5}[1-9])?'
const whole = /^(?:0|-?[1-9]\d*)$/

/** Without a limit: timestamp(3) rounds, numeric(12,2) pads, varchar(20) may cut spaces. */
const unlimited: Readonly<Record<string, RegExp>> = {
  bigint: whole, integer: whole, smallint: whole,
  // Up to 131072 digits before the point; a minus before a bare zero is dropped.
  numeric: /^(?:0|-?[1-9]\d{0,999}|-?(?:0|[1-9]\d{0,999})\.\d{0,999}[1-9]\d{0,99}|NaN)$/,
  boolean: /^(?:true|false)$/,
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  date: new RegExp(`^${day}$`),
  'timestamp with time zone': new RegExp(`^${day} ${time}\\+00$`),
  'timestamp without time zone': new RegExp(`^${day} ${time}$`),
}
const anything = new Set(['text', 'character varying', 'json'])

export const isStoredAsSent = (column: Column, text: string): boolean => {
  if (anything.has(column.type)) return text.isWellFormed() && (!column.limited || !text.endsWith(' '))
  if (column.type === 'numeric' && column.limited) return isOfScale(column.full, text)
  return !column.limited && unlimited[column.type]?.test(text) === true
}

/** numeric(12,2) writes two digits after the point. Too many before it is an error, not another text. */
const isOfScale = (full: string, text: string): boolean => {
  const scale = Number(/,(\d+)\)$/.exec(full)?.[1] ?? -1)
  const digits = /^-?(?:0|[1-9]\d*)(?:\.(\d+))?$/.exec(text)
  if (digits === null || scale < 0) return false
  return (digits[1]?.length ?? 0) === scale && !/^-[0.]*$/.test(text)
}
