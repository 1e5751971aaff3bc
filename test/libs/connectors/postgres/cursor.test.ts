import { describe, expect, it } from 'vitest'
import { arriveAt, decodeCursor, encodeCursor, isUnmoved, type Frame, type Position } from '#libs/connectors/postgres/cursor.ts'

const frame = (more: Partial<Frame> = {}): Frame => ({ xmin: '100', xmax: '100', standby: false, top: '50', bound: '49', open: [], unplaced: false, ...more })
const settled: Position = { low: '10', xid: '90' }
const marked: Position = { low: '10', xid: '90', mark: { low: '20', open: ['3/7', '4/1'], before: '95' } }

describe('where a reading arrives', () => {
  const cases: ReadonlyArray<readonly [situation: string, since: Position | null, at: Frame, then: Position]> = [
    ['no transaction is open: as far as there are values', null, frame(), { low: '49', xid: '100' }],
    ['one is open: stay, and remember how far one may go when it has ended', settled, frame({ open: ['3/7'] }), { low: '10', xid: '100', mark: { low: '49', open: ['3/7'], before: '100' } }],
    ['one is open, but there is nothing new to settle', { low: '49', xid: '90' }, frame({ open: ['3/7'] }), { low: '49', xid: '100' }],
    ['one of those remembered is still open: stay', marked, frame({ open: ['4/1', '9/9'] }), { low: '10', xid: '100', mark: marked.mark! }],
    ['they have ended and nobody else is open: all the way', marked, frame(), { low: '49', xid: '100' }],
    ['they have ended and others are open: to the mark, and a new one', marked, frame({ open: ['9/9'] }), { low: '20', xid: '100', mark: { low: '49', open: ['9/9'], before: '100' } }],
    ['the table is empty again', settled, frame({ top: null, bound: null }), { low: null, xid: '100' }],
    ['a standby waits for all transactions before the mark', marked, frame({ standby: true, xmin: '94', xmax: '120' }), { low: '10', xid: '94', mark: marked.mark! }],
    ['a standby on which all those are over', marked, frame({ standby: true, xmin: '95', xmax: '120' }), { low: '20', xid: '95', mark: { low: '49', open: [], before: '120' } }],
  ]
  for (const [situation, since, at, then] of cases) it(situation, () => expect(arriveAt(since, at)).toEqual(then))
})

describe('a cursor', () => {
  it('comes back from its text, for the same columns only', () => {
    const cursor = { by: 'x', since: marked, midway: { what: 'delta' as const, after: ['1', 'a'], top: '50', then: settled } }
    expect(decodeCursor(encodeCursor(cursor), 'x')).toEqual(cursor)
    expect(decodeCursor(encodeCursor(cursor), 'y')).toBeNull()
    for (const strange of ['', '{}', 'null', '{"by":"x","since":5}', 'x']) expect(decodeCursor(strange, 'x')).toBeNull()
  })

  it('stays the same text while nothing happens, until its transaction number grows old', () => {
    expect(isUnmoved(settled, { low: '10', xid: '400' }, 0)).toBe(true)
    expect(isUnmoved(settled, { low: '10', xid: '400' }, 1)).toBe(false)
    expect(isUnmoved(settled, { low: '11', xid: '400' }, 0)).toBe(false)
    expect(isUnmoved(settled, { low: '10', xid: String(2 ** 29 + 90) }, 0)).toBe(false)
    expect(isUnmoved(null, settled, 0)).toBe(false)
  })
})
