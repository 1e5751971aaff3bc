import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import { findContracts } from '../../../docs/tools/contracts.ts'
import { arbitraryOf } from '../../arbitraries/of-codec.ts'

const contracts = (await findContracts()).map(({ contract }) => contract)
const bytes = (text: string) => new TextEncoder().encode(text)

/** The value with something else at one of its places, however deep. */
const bent = (value: unknown, at: number, into: unknown): unknown => {
  let left = at
  const walk = (one: unknown): unknown => {
    if (left-- === 0) return into
    if (Array.isArray(one)) return one.map(walk)
    return typeof one === 'object' && one !== null ? Object.fromEntries(Object.entries(one).map(([name, inner]) => [name, walk(inner)])) : one
  }
  return walk(value)
}

describe.each(contracts.map((contract) => [contract.schema, contract] as const))('a %s with something wrong in it', (_, contract) => {
  it('is judged as its codec judges it', () => {
    const others = fc.constantFrom<unknown>(null, undefined, 0, '', 'x', true, [], {}, [null], { a: 1 })
    fc.assert(fc.property(arbitraryOf(contract.codec), fc.nat(40), others, (value, at, into) => {
      const body = bytes(JSON.stringify(bent(value, at, into)) ?? 'null')
      const judged = contract.codec.decode(JSON.parse(new TextDecoder().decode(body)))
      const heard = decode(contract, body)
      expect(E.isRight(heard)).toBe(E.isRight(judged))
      if (E.isRight(judged)) expect(heard).toEqual(judged)
    }), { numRuns: 100 })
  })
})

describe('a body', () => {
  const [contract] = contracts
  if (contract === undefined) throw new Error('no contract')

  it.each([
    ['of broken UTF-8', new Uint8Array([0x22, 0xc3, 0x28, 0x22])],
    ['that ends in the middle of a character', new Uint8Array([0x22, 0xe2, 0x82])],
    ['of nothing', new Uint8Array()],
  ])('%s is not JSON', (_, body) => {
    expect(decode(contract, body)).toMatchObject({ _tag: 'Left', left: { report: [expect.stringContaining('not JSON')] } })
  })

  it('that is a part of a larger buffer is read alone, with what is not ASCII in it', () => {
    const whole = bytes('xx"ü€"xx')
    const heard = decode(contract, whole.subarray(2, whole.length - 2))
    expect(JSON.stringify(heard)).toContain('ü€')
    expect(JSON.stringify(decode(contract, whole.subarray(2, 3)))).toContain('not JSON')
  })
})
