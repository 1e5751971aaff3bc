import { describe, expect, it } from 'vitest'
import { agoText, cut, oneLine, painter, spanText, table, withIsoTimes } from '../../cli/render.ts'

const plain = painter({ colour: false })
const coloured = painter({ colour: true })

describe('a table', () => {
  it('is aligned by its longest cells, without spaces at the end', () => {
    expect(table(['A', 'LONG NAME', 'LAST'], [['one', 'x', ''], ['2', 'yy', 'end']], plain)).toEqual(['A    LONG NAME  LAST', 'one  x', '2    yy         end'])
  })

  it('stays aligned when cells have colours', () => {
    const [, first, second] = table(['A', 'B'], [[coloured('red', 'x'), '1'], ['long', '2']], coloured)
    expect(first).toBe('\u001b[31mx\u001b[0m     1')
    expect(second).toBe('long  2')
  })

  it('lets nothing from outside move the cursor', () => {
    expect(oneLine('a\nb\u001b[2Jc\u0007')).toBe('a b[2Jc')
  })
})

describe('times', () => {
  it.each([[0, '0ms'], [250, '250ms'], [59_000, '59s'], [119_000, '119s'], [180_000, '3m'], [7_500_000, '2h 5m'], [7_200_000, '2h'], [400_000_000, '4d']])('%i ms are %s', (ms, text) => {
    expect(spanText(ms)).toBe(text)
  })

  it('are told from now', () => {
    expect([agoText(undefined, 5), agoText(1_000, 6_000), agoText(66_000, 6_000), agoText(6_100, 6_000)]).toEqual(['never', '5s ago', 'in 60s', '0ms ago'])
  })

  it('are RFC 3339 in JSON, and contents are left alone', () => {
    expect(withIsoTimes({ startedAt: 0, at: 1, took: 2, nested: [{ finishedAt: 1_000 }], fields: { at: 5 } })).toEqual({
      startedAt: '1970-01-01T00:00:00.000Z', at: '1970-01-01T00:00:00.001Z', took: 2, nested: [{ finishedAt: '1970-01-01T00:00:01.000Z' }], fields: { at: 5 },
    })
  })
})

describe('a line too long', () => {
  it('is cut between characters', () => {
    expect([cut('abc', 3), cut('abcd', 3), cut('👍👍👍', 2)]).toEqual(['abc', 'ab…', '👍…'])
  })
})
