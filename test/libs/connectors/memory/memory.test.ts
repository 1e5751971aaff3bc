import { describe, expect, it } from 'vitest'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import { connectorLaws, type LawItem, type LawRig } from '../../../laws/connector.laws.ts'
import { ok, one, readAll, refused, write, never } from '../../../laws/law-rig.ts'

const sample = (n: number, edition = 0): LawItem =>
  ({ key: `key-${n}`, fields: { name: `item ${n}`, edition, tags: ['a', `t${edition}`], note: n % 2 === 0 ? null : 'odd' } })

const odd = ['ключ', 'with space', 'a/b', 'a%2Fb', '..', 'Case', 'case', 'x'.repeat(500)].map((key): LawItem => ({ key, fields: { name: key } }))

const rig = (options: MemoryOptions = {}) => async (): Promise<LawRig> => {
  const store = memoryStore('m')
  store.mischief.refuseKeys.add('poison')
  return {
    side: memorySide(store, options),
    reopen: async () => memorySide(store, options),
    sample,
    put: async (item) => { store.put(item) },
    remove: async (key) => store.removeKey(key),
    spoil: async () => store.spoil(store.put(sample(98)).remoteId, 'garbled'),
    loseCursors: async () => store.expireCursors(),
    ...(options.versions === 'flaky' ? { flakyVersions: true as const } : {}),
    ...(options.stores === undefined ? {} : { asStored: (item: LawItem) => ({ ...item, fields: options.stores?.(item.fields) ?? {} }) }),
    odd,
    poison: { key: 'poison', fields: { name: 'poison' } },
    dispose: async () => undefined,
  }
}

connectorLaws('memory', rig())
connectorLaws('memory that keeps the ledger beside the data', rig({ transactional: true }))
connectorLaws('memory with flaky versions', rig({ versions: 'flaky' }))
connectorLaws('memory without versions', rig({ versions: 'none' }))
connectorLaws('memory whose writes answer no version', rig({ silentWrites: true }))
connectorLaws('memory without deltas', rig({ delta: false }))
connectorLaws('memory without tombstones, in small pages', rig({ tombstones: false, pageSize: 2 }))
connectorLaws('memory whose listing only says what is there', rig({ seenOnly: true, resumableListing: false }))
connectorLaws('memory that cannot be written or searched', rig({ readOnly: true, find: false }))
connectorLaws('memory that stores something else than it was sent, and says so', rig({ stores: (fields) => ({ ...fields, stored: 'yes' }) }))

describe('mischief', () => {
  const create = { do: 'create', ...sample(0) } as const

  it('fails the next writes and changes nothing', async () => {
    const store = memoryStore('m')
    store.mischief.failWrites = 1
    expect(await write(memorySide(store), [create, create])).toMatchObject([{ is: 'failed', failure: { is: 'unavailable' } }, { is: 'done' }])
    expect(store.writes.map(({ answer, applied }) => [answer, applied])).toEqual([['failed', false], ['done', true]])
  })

  it('loses the answer of a write that was applied', async () => {
    const store = memoryStore('m')
    store.mischief.loseAnswers = 1
    expect(await write(memorySide(store), [create])).toMatchObject([{ is: 'failed', failure: { is: 'ambiguous' } }])
    expect(one(store.all())).toMatchObject(sample(0))
    expect(one(store.writes).applied).toBe(true)
  })

  it('fails reads in the middle of a listing', async () => {
    const store = memoryStore('m', [sample(0), sample(1)])
    const reader = await ok(memorySide(store).read({ cursor: null, limit: 1, resuming: false, signal: never() }))
    await ok(reader.next)
    store.mischief.failReads = 1
    expect((await refused(reader.next)).is).toBe('unavailable')
  })

  it('turns read-only between two runs', async () => {
    const store = memoryStore('m')
    store.mischief.readOnly = true
    expect(memorySide(store).capabilities.canWrite).toBe(false)
    expect((await refused(memorySide(store).write([create], never()))).is).toBe('needs-person')
    expect(store.writes).toEqual([])
  })

  it('lets somebody else write between our look and our write', async () => {
    const store = memoryStore('m', [sample(0)])
    const side = memorySide(store)
    const seen = one((await readAll(side)).items)
    store.mischief.beforeWrite = () => store.put(sample(0, 1))
    expect(await write(side, [{ do: 'update', ...sample(0, 2), remoteId: seen.remoteId, expect: seen.version }])).toEqual([{ is: 'stale' }])
    expect(one(store.all()).fields).toEqual(sample(0, 1).fields)
  })
})

describe('a commit', () => {
  const checkpoint = { fence: 1, run: 'r', phase: 'delta', gen: 1, cursorA: 'c', cursorB: null, cfgHash: 'h', pages: 0, links: 0, parked: 0 } as const
  const commit = { fence: 1, writes: [{ do: 'create', ...sample(0) }], settle: () => ({ puts: [], drops: [], checkpoint }) } as const

  it('that fails changes nothing, and one whose answer is lost changed everything', async () => {
    const store = memoryStore('m')
    const ledger = memorySide(store, { transactional: true }).ledger
    if (ledger === undefined) throw new Error('expected a ledger')
    await ok(ledger.claim(1, never()))
    store.mischief.failWrites = 1
    expect((await refused(ledger.commit(commit, never()))).is).toBe('unavailable')
    expect([store.all().length, await ok(ledger.peek(never()))]).toEqual([0, null])
    store.mischief.loseAnswers = 1
    expect((await refused(ledger.commit(commit, never()))).is).toBe('ambiguous')
    expect([store.all().length, await ok(ledger.peek(never()))]).toEqual([1, checkpoint])
  })
})

describe('edits behind the connector\'s back', () => {
  it('give a renamed item as gone and new', async () => {
    const store = memoryStore('m', [sample(0)])
    const { cursor, items } = await readAll(memorySide(store))
    store.rename(one(items).remoteId, 'elsewhere')
    const reading = await readAll(memorySide(store), { cursor })
    expect(reading.gone).toEqual([one(items).remoteId])
    expect(one(reading.items)).toMatchObject({ remoteId: 'elsewhere', key: 'key-0' })
  })

  it('can give two items one key', async () => {
    const store = memoryStore('m', [sample(0)])
    store.put({ ...sample(0, 1), remoteId: 'twin' })
    expect((await readAll(memorySide(store))).items.map(({ key }) => key)).toEqual(['key-0', 'key-0'])
    expect(store.byKey('key-0').length).toBe(2)
  })

  it('can show another version of the same content', async () => {
    const store = memoryStore('m', [sample(0)])
    const { cursor, items } = await readAll(memorySide(store))
    store.touch(one(items).remoteId)
    const again = one((await readAll(memorySide(store), { cursor })).items)
    expect(again.version).not.toBe(one(items).version)
    expect(again.fields).toEqual(one(items).fields)
  })

  it('made during a listing are left to the next delta', async () => {
    const store = memoryStore('m', [sample(0), sample(1)])
    let made = 2
    store.mischief.beforePage = () => { if (made < 5) store.put(sample(made++)) }
    const listing = await readAll(memorySide(store), { limit: 1 })
    expect(listing.items.map(({ key }) => key)).toEqual(['key-0', 'key-1'])
    delete store.mischief.beforePage
    const delta = await readAll(memorySide(store), { cursor: listing.cursor })
    expect(delta.items.map(({ key }) => key)).toEqual(['key-2', 'key-3'])
  })

  it('are said as often as a careless server says them', async () => {
    expect((await readAll(memorySide(memoryStore('m', [sample(0)]), { repeats: 3 }), { limit: 2 })).items.length).toBe(3)
  })
})
