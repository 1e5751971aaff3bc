import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import { findContracts } from '../../../docs/tools/contracts.ts'
import { arbitraryOf, fieldsOf, withStrangers } from '../../arbitraries/of-codec.ts'

const folder = join(import.meta.dirname, 'golden')
const goldens = readdirSync(folder).map((name) => name.replace(/\.json$/, ''))
const contracts = (await findContracts()).map(({ contract }) => contract)
const golden = (schema: string): unknown => JSON.parse(readFileSync(join(folder, `${schema}.json`), 'utf8'))
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const json = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))

describe('the golden messages', () => {
  it('are one per contract, and no more', () => {
    expect(goldens.toSorted()).toEqual(contracts.map(({ schema }) => schema).toSorted())
  })

  // Whoever breaks one of these changes what older processes say or hear: that takes a new version beside the old one.
  describe.each(contracts.map((contract) => [contract.schema, contract] as const))('%s', (schema, contract) => {
    it('names every field there is', () => {
      expect(Object.keys(golden(schema) as object).toSorted()).toEqual([...(fieldsOf(contract.codec)?.named.keys() ?? [])].toSorted())
    })

    it('is understood, and said again as it was', () => {
      const heard = decode(contract, bytes(golden(schema)))
      expect(heard).toEqual(E.right(golden(schema)))
      expect(json(encode(contract, golden(schema)))).toEqual(golden(schema))
    })

    it('is understood with fields that only a later version knows', () => {
      const later = withStrangers(contract.codec, golden(schema), 'later')
      expect(later).not.toEqual(golden(schema))
      expect(E.isRight(decode(contract, bytes(later)))).toBe(true)
    })
  })
})

describe.each(contracts.map((contract) => [contract.schema, contract] as const))('%s', (_, contract) => {
  const values = arbitraryOf(contract.codec)

  it('hears what it said', () => {
    fc.assert(fc.property(values, (value) => {
      expect(decode(contract, encode(contract, value))).toEqual(E.right(value))
    }), { numRuns: 50 })
  })

  it('says what its codec would', () => {
    fc.assert(fc.property(values, (value) => {
      expect(contract.spoken(value)).toEqual(contract.codec.encode(value))
    }), { numRuns: 50 })
  })

  it('never says a field that it does not name, however deep', () => {
    fc.assert(fc.property(values, (value) => {
      expect(json(encode(contract, withStrangers(contract.codec, value, '\u0000stranger')))).toEqual(json(bytes(value)))
    }), { numRuns: 50 })
  })

  it('leaves what is said untouched, and does not copy what has nothing to leave out', () => {
    fc.assert(fc.property(values, (value) => {
      const before = structuredClone(value)
      expect(contract.exact(value)).toBe(value)
      expect(value).toEqual(before)
    }), { numRuns: 20 })
  })
})
