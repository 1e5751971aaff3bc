/** Counterparts by identity: in every spelling, under their own name only, and unreadable is not gone. */
import { describe, expect, it } from 'vitest'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import type { Side } from '#libs/connectors/connector.ts'
import { E } from '#libs/fp.ts'
import { counterpartsOf, findThere } from '../../../services/sync-worker/paired-find.ts'
import { ok } from '../../laws/law-rig.ts'

const { signal } = new AbortController()
const composed = 'caf\u00e9'
const decomposed = 'cafe\u0301'

describe('looking for a counterpart', () => {
  it('finds it under another spelling of the same text', async () => {
    const side = memorySide(memoryStore('m', [{ key: decomposed, remoteId: decomposed, fields: {} }]))
    expect((await ok(() => findThere(side, [composed], signal))).map(({ key }) => key)).toEqual([decomposed])
  })

  it('does not take an item for its own that answers to another text than its name', async () => {
    const store = memoryStore('m', [{ key: '1', remoteId: '1', fields: {} }])
    const plain = memorySide(store)
    // As a number does, asked for as "01".
    const side: Side = { ...plain, find: (keys, stop) => async () => {
      const found = await plain.find(keys.map((key) => String(Number(key))), stop)()
      return E.isLeft(found) ? found : E.right(found.right.map((item) => ({ ...item, key: keys.find((key) => Number(key) === Number(item.key)) ?? item.key })))
    } }
    expect(await ok(() => findThere(side, ['01'], signal))).toEqual([])
    expect((await ok(() => findThere(side, ['1'], signal))).map(({ key }) => key)).toEqual(['1'])
  })

  it('tells what is there and cannot be read, and leaves out what is gone', async () => {
    const store = memoryStore('m', [{ key: 'x', remoteId: 'x', fields: {} }, { key: 'y', remoteId: 'y', fields: {} }])
    store.spoil('x', 'garbled')
    const links = ['x', 'z'].map((key) => ({ key, st: 'linked' as const, idB: key, verB: '1', hB: 'h' }))
    const { items, bad } = await ok(() => counterpartsOf(memorySide(store), 'destination', ['x', 'y', 'z'], links, signal))
    expect(items.map(({ key }) => key)).toEqual(['y'])
    expect(bad.map(({ remoteId, why }) => [remoteId, why])).toEqual([['x', 'garbled']])
  })
})
