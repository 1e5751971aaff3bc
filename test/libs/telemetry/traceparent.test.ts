import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTraceparent, isPlainTraceparent, newTraceParent, parseTraceparent } from '#libs/telemetry/traceparent.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

describe('a traceparent that came in a header', () => {
  const cases: ReadonlyArray<readonly [name: string, text: string | undefined, valid: boolean]> = [
    ['sampled', `00-${traceId}-${spanId}-01`, true],
    ['not sampled', `00-${traceId}-${spanId}-00`, true],
    ['a later version with more behind it', `01-${traceId}-${spanId}-01-more`, true],
    ['version 00 with more behind it', `00-${traceId}-${spanId}-01-more`, false],
    ['the forbidden version', `ff-${traceId}-${spanId}-01`, false],
    ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`, false],
    ['no span', `00-${traceId}-${'0'.repeat(16)}-01`, false],
    ['capital letters', `00-${traceId.toUpperCase()}-${spanId}-01`, false],
    ['too short', `00-${traceId.slice(1)}-${spanId}-01`, false],
    ['something else', 'hello', false],
    ['empty', '', false],
    ['absent', undefined, false],
  ]
  it.each(cases)('%s', (_, text, valid) => {
    expect(parseTraceparent(text) !== undefined).toBe(valid)
    expect(text !== undefined && isPlainTraceparent(text)).toBe(valid && text?.startsWith('00-') === true)
  })

  it('counts as a plain one only when it is read as one, wherever a character of it is another', () => {
    const plain = `00-${traceId}-${spanId}-01`
    const bent = fc.tuple(fc.nat(plain.length - 1), fc.constantFrom('0', 'f', 'g', '-', 'A', '/', ':', '`', ' '))
      .map(([at, char]) => plain.slice(0, at) + char + plain.slice(at + 1))
    fc.assert(fc.property(bent, (text) => {
      expect(isPlainTraceparent(text)).toBe(parseTraceparent(text) !== undefined && text.startsWith('00-'))
    }))
  })

  it('is read into its parts', () => {
    expect(parseTraceparent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, flags: 1 })
  })

  it('never throws and never hangs, whatever the text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
      parseTraceparent(text)
    }))
  })
})

describe('a new root', () => {
  it('is valid and survives the way through a header, for any randomness', () => {
    const random = fc.oneof(fc.constant(0), fc.constant(1 - Number.EPSILON / 2), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
    fc.assert(fc.property(fc.infiniteStream(random), (stream) => {
      const root = newTraceParent(() => Number(stream.next().value))
      expect(parseTraceparent(formatTraceparent(root))).toEqual(root)
    }))
  })
})
