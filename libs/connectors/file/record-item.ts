/** Knows how a record's fields become an item: key, version. Pure; does not know formats. */
import { hash } from 'node:crypto'
import { E } from '../../fp.ts'
import { canonicalJson, type Json } from '../../domain/json.ts'
import type { Fields, Item } from '../../domain/record.ts'

/** Digest of the record's own text, 22 characters. */
export const recordVersion = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22)

/**
 * One field: its text. Several: their texts as a JSON list, such as `["m1","2026-01-01"]`.
 * Left: the record cannot be identified.
 */
export const keyOf = (fields: Fields, names: ReadonlyArray<string>): E.Either<string, string> => {
  const parts: Array<string> = []
  for (const name of names) {
    const part = keyText(fields[name] ?? null)
    if (part === '') return E.left(`no "${name}" to identify it by`)
    parts.push(part)
  }
  const key = parts.length === 1 ? (parts[0] ?? '') : JSON.stringify(parts)
  return key.length > maxKeyLength ? E.left(`a key longer than ${maxKeyLength} characters`) : E.right(key)
}

/** What `keyOf` made the key from; for records that are written without their key fields. */
export const keyFields = (key: string, names: ReadonlyArray<string>): Fields => {
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return { [only]: key }
  const parts = E.tryCatch(() => JSON.parse(key) as unknown, () => null)
  if (E.isLeft(parts) || !Array.isArray(parts.right)) return {}
  const texts: ReadonlyArray<unknown> = parts.right
  const fields: Record<string, string> = {}
  for (const [n, name] of names.entries()) {
    const text = texts[n]
    if (typeof text === 'string') fields[name] = text
  }
  return fields
}

/** The key is the remote id too: lines have no other name that lasts. */
export const recordItem = (key: string, text: string, fields: Fields): Item => ({ remoteId: key, key, version: recordVersion(text), fields })

const maxKeyLength = 2048

const keyText = (value: Json): string => {
  if (value === null) return ''
  if (typeof value === 'string') return value
  return typeof value === 'object' ? canonicalJson(value) : String(value)
}
