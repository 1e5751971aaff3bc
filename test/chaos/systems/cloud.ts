/** Knows a collection of the sandbox provider as its users edit it. They go to the collection itself, past HTTP and its faults. */
import type { Fields } from '#libs/domain/record.ts'
import type { Collection } from '../sandbox/collection.ts'
import { nothingDone, type System } from './system.ts'

/** Cards hold the value as a line of a card; rows as it is. */
export const noteLine = (value: string): string => `NOTE:${value}`
export const valueOf = (text: string): string => text.replace(/^NOTE:/, '')

export const cloudOf = (collection: Collection, side: Readonly<Record<string, unknown>>, holds: 'cards' | 'rows'): System => {
  const fieldsOf = (key: string, value: string): Fields => (holds === 'cards' ? { FN: `FN:Person ${key}`, value: noteLine(value) } : { value })
  const valueIn = (fields: Fields): string | null => (typeof fields['value'] === 'string' ? valueOf(fields['value']) : null)
  return {
    kind: 'sandbox',
    side,
    edit: async (key, value) => {
      const found = collection.all().find((one) => one.key === key)
      const before = found === undefined ? null : valueIn(found.fields)
      if (value === null) {
        if (found === undefined) return nothingDone()
        collection.remove(found.id, {})
        return { kind: 'delete', before, result: 'ok' }
      }
      const put = collection.put(found?.id ?? key, key, fieldsOf(key, value), {})
      return put.is === 'created' || put.is === 'updated' ? { kind: found === undefined ? 'create' : 'update', before, result: 'ok' } : nothingDone(before)
    },
    all: async () => collection.all().map(({ id, key, fields }) => ({ key, remoteId: id, value: valueIn(fields) })),
  }
}
