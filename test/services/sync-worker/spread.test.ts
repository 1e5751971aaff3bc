import { describe, expect, it } from 'vitest'
import { provenanceKey, type Provenance } from '#libs/domain/provenance.ts'
import { linkKey } from '#libs/domain/record.ts'
import { E, TE } from '#libs/fp.ts'
import type { SideClass } from '../../../services/sync-worker/classify.ts'
import type { Planned } from '../../../services/sync-worker/flow-end.ts'
import type { Move } from '../../../services/sync-worker/plan.ts'
import { spreadOf } from '../../../services/sync-worker/spread.ts'
import { memoryProvenance } from '../../support/memory-provenance.ts'

const shown = (key: string): SideClass => ({ is: 'changed', hash: 'h', item: { remoteId: key, key, version: '1', fields: {} } })
const planned = (key: string, move: Move, b: SideClass = { is: 'never' }): Planned => ({ move, entry: { key, linkKey: linkKey('x', 'main', key), link: undefined, a: shown(key), b } })
const create: Move = { do: 'create', on: 'destination' }
const entryOf = (conn: string, ...hops: ReadonlyArray<string>): Provenance => ({ root: { place: hops[0] ?? '', key: 'k' }, hops, conn, flow: 'main', at: 1 })

const rig = () => {
  const registry = memoryProvenance(({ conn }) => conn !== 'deleted')
  const spread = (conn = 'x', source = 'a', destination = 'b') => spreadOf(registry, { way: { conn, flow: 'main' }, source, destination, now: () => 5 })
  const put = (place: string, entry: Provenance) => registry.write(provenanceKey(place, 'k'), entry, registry.entries.get(provenanceKey(place, 'k'))?.revision ?? 0)()
  const at = (place: string) => registry.entries.get(provenanceKey(place, 'k'))?.value
  return { registry, spread, put, at }
}
const moves = (answer: E.Either<unknown, ReadonlyArray<Planned>>) => (E.isRight(answer) ? answer.right.map(({ move }) => move) : answer)

describe('the moves of a flow that could meet its own items', () => {
  it('a look notes nothing; the move that is about to be made is noted before, once', async () => {
    const { registry, spread, at } = rig()
    const one = spread()
    expect(moves(await one.judge([planned('k', create)], false))).toEqual([create])
    expect(registry.asked.writes).toBe(0)
    expect(moves(await one.judge([planned('k', create)], true))).toEqual([create])
    expect(at('b')).toEqual({ root: { place: 'a', key: 'k' }, hops: ['a'], conn: 'x', flow: 'main', at: 5 })
    await one.judge([planned('k', create)], true)
    expect(registry.asked).toEqual({ reads: 2, writes: 1 })
  })

  it.each<readonly [Move, Move]>([
    [create, { do: 'nothing' }],
    [{ do: 'update', on: 'source' }, { do: 'nothing' }],
    [{ do: 'delete', on: 'destination' }, { do: 'nothing' }],
    [{ do: 'conflict', of: 'both-edited' }, { do: 'nothing' }],
    [{ do: 'adopt' }, { do: 'adopt' }],
    [{ do: 'refresh' }, { do: 'refresh' }],
    [{ do: 'forget' }, { do: 'forget' }],
  ])('%j becomes %j where the item came by another way', async (move, becomes) => {
    const { spread, put } = rig()
    await put('b', entryOf('other', 'a', 'c'))
    expect(moves(await spread().judge([planned('k', move, shown('k'))], true))).toEqual([becomes])
  })

  it('says how many items were left to another way, and to which', async () => {
    const { spread, put } = rig()
    await put('b', entryOf('other', 'a', 'c'))
    const one = spread()
    expect(one.leftToOthers()).toBeUndefined()
    await one.judge([planned('k', create), planned('free', create)], true)
    expect(one.leftToOthers()).toBe('1 item was left to the other way that brings it there (connection other, flow main): one of them is enough')
  })

  it('a hop too many is parked at the side it comes from; a delete is let through', async () => {
    const { spread, put } = rig()
    await put('a', entryOf('other', 'p', 'q', 'r'))
    expect(moves(await spread().judge([planned('k', create), planned('k', { do: 'delete', on: 'destination' })], true))).toMatchObject([{ do: 'park', on: 'source', why: expect.stringContaining('p → q → r → a → b') as unknown }, { do: 'delete' }])
  })

  it('what a flow noted that is not there any more means nothing', async () => {
    const { spread, put, at } = rig()
    await put('a', entryOf('deleted', 'p', 'q', 'r'))
    await put('b', entryOf('deleted', 'a'))
    expect(moves(await spread().judge([planned('k', create)], true))).toEqual([create])
    expect(at('b')).toMatchObject({ conn: 'x', hops: ['a'] })
  })

  it('two flows that bring one item to one place at the same moment: one of them does', async () => {
    const { registry, spread, put } = rig()
    await put('c', entryOf('onward', 'a')) // c has it from a; x brings it from a to b, y from c to b
    const [x, y] = [spread('x'), spread('y', 'c', 'b')]
    await Promise.all([x.judge([planned('k', create)], false), y.judge([planned('k', create)], false)])
    const ended = await Promise.all([x.judge([planned('k', create)], true), y.judge([planned('k', create)], true)])
    expect(ended.map(moves)).toEqual([[create], [{ do: 'nothing' }]])
    expect(registry.entries.get(provenanceKey('b', 'k'))?.value?.conn).toBe('x')
  })

  it('a note that was written although its answer was lost is ours', async () => {
    const { registry } = rig()
    let lost = 1
    const losing = { ...registry, write: (...args: Parameters<typeof registry.write>) => async () => {
      const written = await registry.write(...args)()
      return lost-- > 0 ? E.left({ is: 'unknown', message: 'no answer' } as const) : written
    } }
    const one = spreadOf(losing, { way: { conn: 'x', flow: 'main' }, source: 'a', destination: 'b', now: () => 5 })
    expect(moves(await one.judge([planned('k', create)], true))).toEqual([create])
    expect(registry.asked.writes).toBe(1)
  })

  it('nothing is written when it cannot be asked, or noted', async () => {
    const { registry } = rig()
    const broken = TE.left({ is: 'broken', message: 'denied' } as const)
    const ask = { way: { conn: 'x', flow: 'main' }, source: 'a', destination: 'b', now: () => 5 }
    expect(await spreadOf({ ...registry, read: () => broken }, ask).judge([planned('k', create)], false)).toMatchObject({ left: { is: 'unavailable', code: 'provenance' } })
    expect(await spreadOf({ ...registry, write: () => broken }, ask).judge([planned('k', create)], true)).toMatchObject({ left: { is: 'unavailable', code: 'provenance' } })
  })

  it('forgets its own copies only', async () => {
    const { spread, put, at } = rig()
    await put('a', entryOf('other', 'p'))
    await put('b', entryOf('x', 'a'))
    await spread().forget(['k', 'unknown'])
    expect([at('a')?.conn, at('b')]).toEqual(['other', null])
  })
})
