import fc from 'fast-check'
import type * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { Checkpoint } from '#libs/domain/checkpoint.ts'
import { SyncFailure } from '#libs/domain/failure.ts'
import { Link } from '#libs/domain/link.ts'
import { hashOf, RecordKind, type Fields } from '#libs/domain/record.ts'
import { arbitraryFailure } from './failure.ts'
import { arbitraryCheckpoint, arbitraryLink } from './link.ts'
import { arbitraryItems, arbitraryRecordKind, arbitraryRow } from './record.ts'

const cases: ReadonlyArray<readonly [string, t.Mixed, fc.Arbitrary<unknown>]> = [
  ['failures', SyncFailure, arbitraryFailure()],
  ['links', Link, arbitraryLink()],
  ['checkpoints', Checkpoint, arbitraryCheckpoint()],
  ['record kinds', RecordKind, arbitraryRecordKind()],
]

describe('what the arbitraries make', () => {
  it.each(cases)('%s are what their codec says', (_, codec, arbitrary) => {
    fc.assert(fc.property(arbitrary, (value) => {
      expect(codec.is(value)).toBe(true)
    }))
  })

  it('items of one side have keys and remote ids of their own, and survive JSON', () => {
    fc.assert(fc.property(arbitraryItems(), (items) => {
      expect(new Set(items.map(({ key }) => key)).size).toBe(items.length)
      expect(new Set(items.map(({ remoteId }) => remoteId)).size).toBe(items.length)
      for (const { fields } of items) expect(hashOf(JSON.parse(JSON.stringify(fields)) as Fields)).toBe(hashOf(fields))
    }))
  })

  it('rows hold text or nothing', () => {
    fc.assert(fc.property(arbitraryRow(), (row) => {
      for (const value of Object.values(row)) expect(value === null || typeof value === 'string').toBe(true)
    }))
  })
})
