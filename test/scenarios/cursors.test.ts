/** SYNC.md §E.2: cursors, listings, and what may be missing from them. */
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { engineRig, type EngineOptions, type EngineRig } from '../support/engine-rig.ts'
import { filtered, inSync, isQuiet, listed, many, shown, streamed } from './in-sync.ts'

const decoded = <A>(value: E.Either<unknown, A>): A => {
  if (E.isLeft(value)) throw new Error('not an id')
  return value.right
}
const conn = decoded(ConnectionId.decode('c1'))
const flow = decoded(FlowId.decode('main'))

it('T40 streamed: an attempt that fails half way is repeated from the old cursor, and skips nothing', async () => {
  const rig = await inSync({ ...streamed, a: { pageSize: 2 } })
  for (const key of many(6)) rig.a.put({ key, fields: { FN: key } })
  let page = 0
  rig.a.mischief.beforePage = () => {
    if (++page === 2) rig.a.mischief.failReads = 1
  }
  expect((await rig.play()).judgement.is).toBe('retry')
  delete rig.a.mischief.beforePage
  await rig.sync()
  expect(Object.keys(shown(rig).b)).toHaveLength(9)
})

describe('T34 a filter', () => {
  const withFilter = async () => {
    let isShown = (_key: string): boolean => true
    const rig = engineRig({ wrap: (name, side) => (name === 'source' ? filtered(side, (key) => isShown(key), (id) => rig.a.get(id)?.key) : side) })
    for (const key of many(10)) rig.a.put({ key, fields: { FN: key } })
    await rig.sync()
    rig.newWrites()
    const set = (filter: string, shows: (key: string) => boolean): void => {
      isShown = shows
      rig.options.flow = { source: { provider: 'memory', store: 'a', filter } }
    }
    return { rig, set }
  }
  const small = (key: string): boolean => Number(key.slice(1)) < 6

  it('that 40 % of the items leave deletes nothing and unlinks them; taken back, they are linked again', async () => {
    const { rig, set } = await withFilter()
    set('small', small)
    await rig.sync()
    rig.b.put({ key: 'k9', fields: { FN: 'edited out of scope' } })
    rig.a.put({ key: 'k1', fields: { FN: 'edited in scope' } })
    await rig.sync()
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 1 })
    expect(Object.keys(shown(rig).b)).toHaveLength(10)
    set('all', () => true)
    await rig.sync()
    expect(shown(rig).a).toEqual(shown(rig).b)
    expect(shown(rig).a['k9']).toEqual({ FN: 'edited out of scope' })
    expect(await isQuiet(rig)).toBe(true)
  })

  it('deletes nothing either when its first attempt is cut short', async () => {
    const { rig, set } = await withFilter()
    rig.a.put({ key: 'k1', fields: { FN: 'edited' } })
    set('small', small)
    rig.b.mischief.failWrites = 1
    await rig.play()
    await rig.sync()
    await rig.sync()
    expect(Object.keys(shown(rig).b)).toHaveLength(10)
    expect(shown(rig).b['k1']).toEqual({ FN: 'edited' })
  })
})

describe('a side that does not show all it has', () => {
  it('T36 what we wrote a moment ago is not taken for deleted, and is later', async () => {
    let hidden = true
    const late = (rig: () => EngineRig): EngineOptions => ({
      ...listed,
      flow: { horizonMs: 600_000 },
      wrap: (name, side) => (name === 'destination' && hidden ? filtered(side, () => false, (id) => rig().b.get(id)?.key) : side),
    })
    const rig: EngineRig = engineRig(late(() => rig))
    for (const key of many(3)) rig.a.put({ key, fields: { FN: key } })
    await rig.sync()
    await rig.sync()
    expect(Object.keys(shown(rig).a)).toHaveLength(3)
    hidden = false
    await rig.sync()
    rig.newWrites()
    rig.b.removeKey('k1')
    await rig.sync()
    expect(Object.keys(shown(rig).a), 'within the horizon nobody knows').toHaveLength(3)
    const now = rig.ports.clock.now()
    await rig.play({}, { ports: { ...rig.ports, clock: { ...rig.ports.clock, now: () => now + 700_000 } } })
    expect(Object.keys(shown(rig).a)).toEqual(['k0', 'k2'])
  })

  it.each([['two-way', listed], ['streamed', { ...streamed, a: { delta: false } }]])('an item that a listing leaves out is asked for before it is taken for deleted (%s)', async (_how, options) => {
    let left = false
    const rig: EngineRig = await inSync({
      ...options,
      wrap: (name, side) => (name === 'source' && left ? { ...filtered(side, (key) => key !== 'x', (id) => rig.a.get(id)?.key), fetch: side.fetch } : side),
    })
    left = true
    await rig.sync()
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })

  it('T48 a destination restored to yesterday: nothing is deleted at the source, what is missing comes back', async () => {
    let restored = false
    const rig: EngineRig = await inSync({
      wrap: (name, side) => ({
        ...side,
        read: (ask) => (name === 'destination' && restored && ask.cursor !== null ? async () => E.left({ is: 'cursor-lost', code: 'restored', message: 'this database was restored' }) : side.read(ask)),
      }),
    }, ['x', 'y'])
    rig.a.put({ key: 'today', fields: { FN: 'today' } })
    rig.a.put({ key: 'x', fields: { FN: 'edited today' } })
    await rig.sync()
    rig.b.removeKey('today')
    rig.b.put({ key: 'x', fields: { FN: 'x' } })
    restored = true
    await rig.sync()
    restored = false
    expect(shown(rig).a).toEqual({ x: { FN: 'edited today' }, y: { FN: 'y' }, today: { FN: 'today' } })
    expect(shown(rig).b).toEqual(shown(rig).a)
    expect(await isQuiet(rig)).toBe(true)
  })
})

describe('lost state', () => {
  it('a lost checkpoint resurrects and never destroys; what stood on its pages is not believed', async () => {
    const rig = await inSync({}, many(600))
    rig.state.drop(stateKeys.checkpoint(conn, flow))
    rig.a.removeKey('k0')
    for (const key of many(600).slice(60)) {
      rig.a.removeKey(key)
      rig.b.removeKey(key)
    }
    await rig.sync()
    expect(shown(rig).a).toHaveProperty('k0')
    expect(Object.keys(shown(rig).a)).toHaveLength(60)
    // The ledger grows again, over pages that are left from before.
    for (let size = 80; size <= 300; size += 20) {
      for (const key of many(size)) if (rig.a.byKey(key).length === 0) rig.a.put({ key, fields: { FN: key } })
      expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ links: size }] })
    }
    expect(await isQuiet(rig)).toBe(true)
  })

  it('lost pages are noticed by their number of links, and nothing is deleted for want of them', async () => {
    const rig = await inSync(listed)
    rig.state.drop(stateKeys.page(conn, flow, 0))
    rig.a.removeKey('x')
    await rig.sync()
    expect(shown(rig).a).toHaveProperty('x')
    expect(Object.keys(shown(rig).b)).toHaveLength(3)
  })
})
