import { describe, expect, it } from 'vitest'
import { describeMistake } from '#libs/config/mistake.ts'
import { readConfig } from '#libs/config/read-config.ts'
import { E } from '#libs/fp.ts'
import { known } from './known.ts'

/** `x: a > b` is a one-way connection, `x: a = b` a two-way one; one a line. */
const told = (arrows: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = arrows.map((arrow) => {
    const [, id = '', from = '', by = '', to = ''] = /^(\w+): (\w+) ([>=]) (\w+)$/.exec(arrow) ?? []
    return `  ${id}: { kind: contact, direction: ${by === '>' ? 'one' : 'two'}-way, source: { provider: base, table: ${from} }, destination: { provider: base, table: ${to} } }`
  })
  const read = readConfig(`connections:\n${lines.join('\n')}\n`, 'sync.yaml', known)
  return E.isLeft(read) ? read.left.map(describeMistake).map((line) => line.replace(/; .*$/, '').replace(/^sync.yaml:(\d+):\d+ connections\./, '$1 ')) : []
}

describe('connections beside each other', () => {
  it.each([
    ['a chain', ['x: a > b', 'y: b > c', 'z: c > d'], []],
    ['one source for many', ['x: a > b', 'y: a > c', 'z: a = d'], []],
    ['a two-way pair whose one side is also read', ['x: a = b', 'y: b > c'], []],
    ['a diamond without a common end', ['x: a > b', 'y: a > c', 'z: b > d', 'w: c > e'], []],
    ['there and back', ['x: a > b', 'y: b > a'], ['3 y.destination: changes would go round for ever: base a → base b (x) → base a (y)']],
    ['a loop of three', ['x: a > b', 'y: b > c', 'z: c > a'], ['4 z.destination: changes would go round for ever: base a → base b (x) → base c (y) → base a (z)']],
    ['a triangle of two-way pairs', ['x: a = b', 'y: b = c', 'z: c = a'], [expect.stringMatching(/changes would go round for ever: base a → base b \(x\) → base c \(y\) → base a \(z\)/)]],
    ['the same pair twice', ['x: a = b', 'y: b = a'], [expect.stringMatching(/changes would go round for ever: base a → base b \(x\) → base a \(y\)/)]],
    ['two writers of one place', ['x: a > c', 'y: b > c'], ['3 y.destination: base c would be written by x and y']],
    ['three writers of one place', ['x: a > c', 'y: b > c', 'z: d > c'], ['4 z.destination: base c would be written by x and y and z']],
    ['a place between two two-way pairs', ['x: a = b', 'y: b = c'], ['3 y.source: base b would be written by x and y']],
    ['two loops', ['x: a > b', 'y: b > a', 'z: c > d', 'w: d > c'], ['3 y.destination: changes would go round for ever: base a → base b (x) → base a (y)', '5 w.destination: changes would go round for ever: base c → base d (z) → base c (w)']],
  ])('%s', (_name, arrows, expected) => {
    expect(told(arrows)).toEqual(expected)
  })

  it('are judged in no time, however long the chain', () => {
    const chain = Array.from({ length: 2_000 }, (_, i) => `x${i}: t${i} > t${i + 1}`)
    expect(told(chain)).toEqual([])
    expect(told([...chain, 'last: t2000 > t0'])).toHaveLength(1)
  })
})
