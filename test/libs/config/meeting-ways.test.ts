import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meetingWays, type MeetingWays } from '#libs/config/meeting-ways.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'

/** `x: a > b, c = d` is a connection with two flows, one-way and two-way. */
const connectionOf = (text: string): Connection => {
  const [id = '', rest = ''] = text.split(': ')
  const flows = rest.split(', ').map((arrow, n) => {
    const [from, by, to] = arrow.split(' ')
    return { id: n === 0 ? 'main' : `f${n}`, direction: by === '>' ? 'one-way' : 'two-way', kind: 'row', source: { provider: 'base', table: from }, destination: { provider: 'base', table: to } }
  })
  const decoded = Connection.decode({ id, schedule: { kind: 'manual' }, flows })
  if (E.isLeft(decoded)) throw new Error(text)
  return decoded.right
}
const waysOf = (...texts: ReadonlyArray<string>): MeetingWays => {
  const ways = meetingWays()
  for (const text of texts) ways.put(connectionOf(text))
  return ways
}

describe('flows that could bring an item to one place by two ways, or too far', () => {
  it.each<readonly [what: string, texts: ReadonlyArray<string>, x: boolean]>([
    ['one alone', ['x: a = b'], false],
    ['beside others that have nothing to do with it', ['x: a = b', 'y: c = d'], false],
    ['a chain of three', ['x: a > b', 'y: b > c', 'z: c > d'], false],
    ['a chain of four', ['x: a > b', 'y: b > c', 'z: c > d', 'w: d > e'], true],
    ['four after each other that do not lead on', ['x: a > b', 'y: c > b', 'z: c > d', 'w: d > e'], false],
    ['two-way pairs in a row of three', ['x: a = b', 'y: b = c', 'z: c = d'], false],
    ['two-way pairs in a row of four', ['x: a = b', 'y: b = c', 'z: c = d', 'w: d = e'], true],
    ['one source for many', ['x: a > b', 'y: a > c', 'z: a = d', 'w: a > e', 'v: a > f'], false],
    ['a hub of two-way pairs', ['x: a = h', 'y: b = h', 'z: c = h', 'w: d = h'], false],
    ['there and back', ['x: a > b', 'y: b > a'], true],
    ['a triangle', ['x: a = b', 'y: b = c', 'z: c = a'], true],
    ['two ways from one to another', ['x: a > b', 'y: a > c', 'z: b > d', 'w: c > d'], true],
    ['hanging on a triangle', ['x: h = a', 'y: a = b', 'z: b = c', 'w: c = a'], true],
    ['the same pair in two flows of one connection', ['x: a > b, a = b'], true],
    ['two flows of one connection in a row', ['x: a > b, b > c'], false],
  ])('%s', (_, texts, expected) => {
    expect(waysOf(...texts).mayMeet('x', 'main')).toBe(expected)
  })

  it('follow the configuration as it changes', () => {
    const ways = waysOf('x: a = b', 'y: b = c')
    expect(ways.mayMeet('x', 'main')).toBe(false)
    ways.put(connectionOf('z: c = a'))
    expect(['x', 'y', 'z'].map((conn) => ways.mayMeet(conn, 'main'))).toEqual([true, true, true])
    ways.put(connectionOf('z: c = d'))
    expect(['x', 'y', 'z'].map((conn) => ways.mayMeet(conn, 'main'))).toEqual([false, false, false])
    ways.put(connectionOf('z: c = a'))
    ways.remove('y')
    expect(ways.mayMeet('x', 'main')).toBe(false)
    expect([ways.knows('x', 'main'), ways.knows('x', 'f1'), ways.knows('y', 'main')]).toEqual([true, false, false])
    expect(ways.mayMeet('y', 'main')).toBe(false)
  })

  it('are the same however the configuration came to be', () => {
    const text = fc.tuple(fc.constantFrom('x', 'y', 'z', 'w'), fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('>', '='), fc.constantFrom('a', 'b', 'c', 'd', 'e'))
      .filter(([, from, , to]) => from !== to).map(([id, from, by, to]) => `${id}: ${from} ${by} ${to}`)
    fc.assert(fc.property(fc.array(fc.oneof(text, fc.constantFrom('-x', '-y', '-z')), { maxLength: 15 }), (steps) => {
      const grown = meetingWays()
      const now = new Map<string, string>()
      for (const step of steps) {
        if (step.startsWith('-')) {
          grown.remove(step.slice(1))
          now.delete(step.slice(1))
        } else {
          grown.put(connectionOf(step))
          now.set(step[0] ?? '', step)
        }
        for (const id of now.keys()) grown.mayMeet(id, 'main')
      }
      const fresh = waysOf(...now.values())
      for (const id of now.keys()) expect(grown.mayMeet(id, 'main')).toBe(fresh.mayMeet(id, 'main'))
    }), { numRuns: 300 })
  })

  it('are found in no time among many', () => {
    const ways = meetingWays()
    for (let n = 0; n < 20_000; n++) ways.put(connectionOf(`s${n}: hub > t${n}`))
    expect(ways.mayMeet('s0', 'main')).toBe(false)
    ways.put(connectionOf('back: t7 > hub'))
    expect(ways.mayMeet('s19999', 'main')).toBe(true)
    for (let n = 0; n < 20_000; n++) ways.remove(`s${n}`)
    expect(ways.mayMeet('back', 'main')).toBe(false)
  })
})
