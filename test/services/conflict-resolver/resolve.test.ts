import { describe, expect, it } from 'vitest'
import { ConflictAnswer } from '#libs/contracts/conflict.ts'
import type { ConflictItem } from '#libs/contracts/conflict.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import type { Strategy } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { resolve } from '../../../services/conflict-resolver/resolve.ts'
import { arbitraryConflictQuestion as question } from '../../arbitraries/conflict-question.ts'

const edited = (n: string) => ({ is: 'present' as const, fields: { n } })
const deleted = { is: 'deleted' as const }

const decided = (strategy: Strategy, item: Omit<ConflictItem, 'key'>, deleteWins = false) => {
  const answer = resolve(question({ strategy, deleteWins, items: [{ key: 'k', ...item }] }))
  return E.isRight(answer) ? answer.right.decisions[0] : undefined
}

/** SYNC.md §A.3, rows C/C, C/D and D/C; the value is what both sides show afterwards: s(ource's edit), d(estination's), m(erged), - (deleted), h(eld). */
const table: ReadonlyArray<readonly [strategy: Strategy, editEdit: string, editDelete: string, editDeleteWins: string, deleteEdit: string, deleteEditWins: string]> = [
  ['source-wins', 's', 's', 's', 'd', '-'],
  ['destination-wins', 'd', 's', '-', 'd', 'd'],
  ['newest-wins', 's', 's', 's', 'd', '-'],
  ['merge', 'm', 's', 's', 'd', 'd'],
  ['manual', 'h', 'h', 'h', 'h', 'h'],
]

describe.each(table)('%s', (strategy, editEdit, editDelete, editDeleteWins, deleteEdit, deleteEditWins) => {
  const shown = (item: Omit<ConflictItem, 'key'>, deleteWins: boolean): string => {
    const take = decided(strategy, item, deleteWins)?.take
    if (take === 'hold') return 'h'
    if (take === 'merged') return 'm'
    const side = take === 'source' ? item.source : item.destination
    if (side.is === 'deleted') return '-'
    return take === 'source' ? 's' : 'd'
  }
  it.each([
    ['both edited', { source: edited('a'), destination: edited('b') }, false, editEdit],
    ['edited at the source, deleted at the destination', { source: edited('a'), destination: deleted }, false, editDelete],
    ['the same, and deletions win', { source: edited('a'), destination: deleted }, true, editDeleteWins],
    ['deleted at the source, edited at the destination', { source: deleted, destination: edited('b') }, false, deleteEdit],
    ['the same, and deletions win', { source: deleted, destination: edited('b') }, true, deleteEditWins],
  ] as const)('%s (deleteWins %3$s)', (_, item, deleteWins, expected) => {
    expect(shown(item, deleteWins)).toBe(expected)
  })

  it('has nothing to decide where both show the same or both are gone', () => {
    expect(decided(strategy, { source: edited('a'), destination: edited('a') })).toEqual({ key: 'k', take: 'source', rule: 'no-conflict' })
    expect(decided(strategy, { source: deleted, destination: deleted })).toEqual({ key: 'k', take: 'source', rule: 'no-conflict' })
  })
})

describe('a question of many items', () => {
  it('is answered item by item, in their order', () => {
    const items = ['x', 'y', 'z'].map((key) => ({ key, source: edited(key), destination: edited('b') }))
    const answer = resolve(question({ items }))
    expect(E.isRight(answer) && answer.right.decisions.map(({ key, take }) => `${key}:${take}`)).toEqual(['x:source', 'y:source', 'z:source'])
  })

  it('names every field that differed', () => {
    const item = { source: { is: 'present' as const, fields: { a: 1, b: 2, same: 3 } }, destination: { is: 'present' as const, fields: { a: 2, c: 4, same: 3 } } }
    expect(decided('destination-wins', item)?.provenance).toEqual(['a', 'b', 'c'].map((field) => ({ field, rule: 'destination-wins', winner: 'destination' })))
  })

  it('passes the wire unchanged', () => {
    const item = { source: edited('a'), destination: { is: 'present' as const, fields: { n: 'b', t: ['1'] } } }
    for (const strategy of ['source-wins', 'merge', 'manual'] as const) {
      const answer = resolve(question({ strategy, items: [{ key: 'k', ...item }] }))
      expect(E.isRight(answer) && decode(ConflictAnswer, encode(ConflictAnswer, answer.right))).toEqual(answer)
    }
  })

  it('merges an activity by its own rules, and only an activity', () => {
    const items = [{ key: 'k', source: { is: 'present' as const, fields: { distance: 1 } }, destination: { is: 'present' as const, fields: { distance: 2 } } }]
    const [activity, row] = (['activity', 'row'] as const).map((kind) => resolve(question({ strategy: 'merge', kind, items })))
    expect(activity).toMatchObject(E.right({ decisions: [{ rule: 'merge-activity', fields: { distance: 2 } }] }))
    expect(row).toMatchObject(E.right({ decisions: [{ rule: 'merge-without-base', fields: { distance: 1 } }] }))
  })
})

describe('a connection that is not entitled', () => {
  it.each(['destination-wins', 'newest-wins', 'merge', 'manual'] as const)('may not use %s', (strategy) => {
    expect(resolve(question({ strategy, entitled: false }))).toEqual(
      E.left({ is: 'not-entitled', message: `connection contacts is not entitled to ${strategy}: only source-wins is open to it` }),
    )
  })

  it('may use source-wins', () => {
    expect(E.isRight(resolve(question({ strategy: 'source-wins', entitled: false })))).toBe(true)
  })
})
