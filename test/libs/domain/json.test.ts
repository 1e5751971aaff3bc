import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '#libs/domain/json.ts'

/** Sorted as lists of texts are, whatever the number of names. */
const plainly = (value: Readonly<Record<string, string>>): string =>
  `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name.normalize('NFC'))}:${JSON.stringify((value[name] ?? '').normalize('NFC'))}`).join(',')}}`

describe('the canonical form of an object', () => {
  it('has its names in the order of their code units, few or many', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.string(), { maxKeys: 40 }), (value) => {
        expect(canonicalJson(value)).toBe(plainly(value))
      }),
      { examples: [[{}], [{ b: '1', a: '2' }], [{ note: 'x', notes: 'y', no: 'z' }], [{ é: '1', z: '2', Z: '3', '\u{1f600}': '4', '\uffff': '5' }], [Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${16 - n}`, 'v']))]] },
    )
  })

  it('leaves its names in the object as they were', () => {
    const value = { b: '1', a: '2' }
    canonicalJson(value)
    expect(Object.keys(value)).toEqual(['b', 'a'])
  })

  it('leaves out what is not there', () => {
    expect(canonicalJson({ b: undefined, a: { c: undefined }, d: [] } as never)).toBe('{"a":{},"d":[]}')
  })
})
