/** Two stores in memory that tell what changed, or are listed every time by what stands there. */
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import { memoryStore, type MemoryStore } from '#libs/connectors/memory/store.ts'
import type { Entry, Ground, Place } from './ground.ts'

export const memory = (delta: boolean) => async (): Promise<Ground> => {
  const [a, b] = [memoryStore('a'), memoryStore('b')]
  const options = delta ? {} : { delta: false, seenOnly: true }
  return {
    connector: memoryConnector(new Map([['a', { store: a, options }], ['b', { store: b, options }]])), kind: 'contact',
    places: [placeOf(a), placeOf(b)],
    side: (name) => ({ provider: 'memory', store: name }),
    otherFields: { name: 'name', mail: 'mail' },
    loseCursors: async () => a.expireCursors(),
    stop: async () => undefined,
  }
}

const placeOf = (store: MemoryStore): Place => {
  const found = (key: string) => {
    const [one] = store.byKey(key)
    if (one === undefined) throw new Error(`${store.name} has no ${key}`)
    return one
  }
  return {
    put: async (key, entry) => void store.put({ key, fields: entry }),
    remove: async (key) => store.remove(found(key).remoteId),
    shown: async () => Object.fromEntries(store.all().map(({ key, fields }) => [key, fields as unknown as Entry])),
    marks: async () => Object.fromEntries(store.all().map(({ remoteId, revision }) => [remoteId, String(revision)])),
    touch: async (key) => store.touch(found(key).remoteId),
    rekey: async (key, to) => void store.put({ ...found(key), key: to }),
    move: async (key) => store.rename(found(key).remoteId, `moved ${key}`),
    twin: async (key, entry) => void store.put({ key, remoteId: `twin of ${key}`, fields: entry }),
    date: async (key, at) => void store.put({ ...found(key), modifiedAt: at.toISOString() }),
  }
}
