import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import type { Json } from '#libs/domain/json.ts'
import { formatJsonLine, parseJsonLine } from '#libs/formats/jsonl.ts'

const row = fc.dictionary(fc.string().filter((name) => name !== '__proto__'), fc.jsonValue({ depthSize: 'small' }).filter((value) => !JSON.stringify(value).includes('__proto__')))
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, Json>)

describe('reading a line that was written', () => {
  it('gives the same row', () => {
    fc.assert(fc.property(row, (value) => {
      expect(parseJsonLine(formatJsonLine(value))).toEqual(E.right(value))
    }), { examples: [[{ 'a b': 'é👩‍👩‍👧\u2028"\\' }]] })
  })

  it('has one text per row, whatever the order of its keys', () => {
    expect(formatJsonLine({ b: 1, a: { d: [1, { f: 1, e: 2 }], c: null }, 10: 0, 9: 0 })).toBe('{"10":0,"9":0,"a":{"c":null,"d":[1,{"e":2,"f":1}]},"b":1}')
  })
})

describe('a number', () => {
  it.each([
    ['1', 1], ['-0.5', -0.5], ['1.0', 1], ['1e2', 100], ['1.50E+3', 1500], ['9007199254740992', 9007199254740992], ['0.1', 0.1],
    ['5e-324', 5e-324], ['0.00000000000000000000', 0], ['1000000000000000000000', 1e21], ['1.7976931348623157e308', 1.7976931348623157e308],
  ])('%s is a number', (text, value) => expect(parseJsonLine(`{"n":[${text}]}`)).toEqual(E.right({ n: [value] })))

  it.each(['12345678901234567890', '9007199254740993', '0.1000000000000000055', '1e400', '-1e-400', '123456789012345.6789', '1e99999999999'])(
    '%s is kept as its text', (text) => expect(parseJsonLine(`{"n":${text},"m":1}`)).toEqual(E.right({ n: text, m: 1 })))

  it('is never another number than the one written', () => {
    const written = fc.tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat({ max: 30 })).map(([digits, scale]) => {
      const sign = digits < 0n ? '-' : ''
      const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
      return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
    })
    fc.assert(fc.property(written, (text) => {
      const parsed = parseJsonLine(`{"n":${text}}`)
      const n = E.isRight(parsed) ? parsed.right['n'] : undefined
      if (n !== text) expect(Number(n).toLocaleString('en', { useGrouping: false, maximumSignificantDigits: 21, maximumFractionDigits: 100 })).toBe(trimmed(text))
    }))
  })
})

const trimmed = (text: string): string => {
  const short = text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text
  return /^-?0$/.test(short) && !text.startsWith('-') ? '0' : short
}

describe('a line is refused', () => {
  it.each([
    ['not an object', '[1]', 'not an object'], ['null', 'null', 'not an object'], ['text', '"secret"', 'not an object'],
    ['nothing', '', 'not JSON'], ['broken', '{"a":secret}', 'not JSON'], ['broken later', '{"a":1 "secret"}', 'not JSON at character 7'],
    ['a prototype', '{"a":[{"__proto__":{"admin":true}}]}', 'a property named __proto__'],
    ['an escaped prototype', '{"\\u005f_proto__":1}', 'a property named __proto__'],
    ['65 deep', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'nested deeper than 64'],
    ['100 000 deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'nested deeper than 64'],
    ['100 000 deep with an exponent', `{"b":1e400,"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'nested deeper than 64'],
    ['too long', `{"a":"${'x'.repeat(1024 * 1024)}"}`, 'longer than 1 MiB'],
    ['too long in bytes', `{"a":"${'é'.repeat(600_000)}"}`, 'longer than 1 MiB'],
  ])('when it is %s', (_, line, report) => expect(parseJsonLine(line)).toEqual(E.left(report)))

  it('but not for other names of Object, a BOM, a CR or 64 levels', () => {
    expect(parseJsonLine('\ufeff{"constructor":1,"toString":2}\r')).toEqual(E.right({ constructor: 1, toString: 2 }))
    expect(E.isRight(parseJsonLine(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`))).toBe(true)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('and never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => { parseJsonLine(text) }))
  })
})
