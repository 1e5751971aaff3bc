/** Items in canonical form, as any side may show them. */
import fc from 'fast-check'
import type { Json } from '#libs/domain/json.ts'
import { RecordKind, type Fields, type Item } from '#libs/domain/record.ts'
import { arbitraryName, arbitraryScalar, arbitraryText } from './json.ts'

export const arbitraryRecordKind = (): fc.Arbitrary<RecordKind> =>
  fc.constantFrom<RecordKind>('contact', 'event', 'activity', 'glucose-reading', 'row')

/** Identity keys: plain ones, odd ones, and near twins of each other. */
export const arbitraryKey = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.uuid(),
    fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
    fc.constantFrom('a', 'A', 'ä', 'a%2Fb', 'a/b', '..', '.hidden', 'with space', "o'hara", 'x'.repeat(500)),
  )

/** A set: sorted, without repetition, as codecs leave it. */
export const arbitrarySet = (): fc.Arbitrary<ReadonlyArray<string>> =>
  fc.uniqueArray(arbitraryText(), { maxLength: 4 }).map((values) => values.sort())

export const arbitraryFieldValue = (): fc.Arbitrary<Json> => fc.oneof({ arbitrary: arbitraryScalar(), weight: 3 }, arbitrarySet())

export const arbitraryFields = (): fc.Arbitrary<Fields> => fc.dictionary(arbitraryName(), arbitraryFieldValue(), { maxKeys: 6 })

/** Fields of the kind `row`: text as PostgreSQL shows it, or null. */
export const arbitraryRow = (): fc.Arbitrary<Fields> =>
  fc.dictionary(arbitraryName(), fc.oneof(arbitraryText(), fc.integer().map(String), fc.constantFrom('true', 'false', null)), { minKeys: 1, maxKeys: 6 })

export const arbitraryVersion = (): fc.Arbitrary<string | null> => fc.oneof(fc.stringMatching(/^[0-9a-f]{1,12}$/), fc.constant(null))

export const arbitraryInstant = (): fc.Arbitrary<string> =>
  fc.date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }).map((date) => date.toISOString())

export const arbitraryItem = (): fc.Arbitrary<Item> =>
  fc.record(
    { remoteId: fc.string({ minLength: 1, maxLength: 16 }), key: arbitraryKey(), version: arbitraryVersion(), fields: arbitraryFields(), modifiedAt: arbitraryInstant() },
    { requiredKeys: ['remoteId', 'key', 'version', 'fields'] },
  )

/** Items of one side: remote ids and keys are unique. */
export const arbitraryItems = (maxLength = 12): fc.Arbitrary<ReadonlyArray<Item>> =>
  fc.uniqueArray(arbitraryItem(), { maxLength, selector: (item) => item.key })
    .map((items) => items.map((item, n) => ({ ...item, remoteId: `id${n}` })))
