/** Two collections of a provider on HTTP, with etags, sync tokens and tombstones. People edit them past its faults. */
import type { Fields } from '#libs/domain/record.ts'
import { sandboxConnector } from '../../chaos/sandbox/connector.ts'
import { startSandbox, type Sandbox } from '../../chaos/sandbox/provider.ts'
import { idOf } from '../../chaos/sandbox/write.ts'
import type { Entry, Ground, Place } from './ground.ts'

export const provider = async (): Promise<Ground> => {
  const sandbox = await startSandbox()
  return {
    connector: sandboxConnector('rig'), kind: 'contact', provider: sandbox,
    places: [collectionOf(sandbox, 'a'), collectionOf(sandbox, 'b')],
    side: (name) => ({ provider: 'sandbox', url: sandbox.url, collection: name }),
    otherFields: { name: 'name', mail: 'mail' },
    loseCursors: async () => sandbox.collection('a').expire(),
    stop: sandbox.stop,
  }
}

const collectionOf = (sandbox: Sandbox, name: string): Place => {
  const collection = sandbox.collection(name)
  const found = (key: string) => {
    const one = collection.all().find((stored) => stored.key === key)
    if (one === undefined) throw new Error(`${name} has no ${key}`)
    return one
  }
  const write = (id: string, key: string, fields: Fields): void => void collection.put(id, key, fields, {})
  return {
    put: async (key, entry) => write(collection.all().find((one) => one.key === key)?.id ?? idOf(key), key, entry),
    remove: async (key) => void collection.remove(found(key).id, {}),
    shown: async () => Object.fromEntries(collection.all().map(({ key, fields }) => [key, fields as unknown as Entry])),
    marks: async () => Object.fromEntries(collection.all().map(({ id, rev }) => [id, String(rev)])),
    touch: async (key) => write(found(key).id, key, found(key).fields),
    rekey: async (key, to) => write(found(key).id, to, found(key).fields),
    move: async (key) => {
      const { id, fields } = found(key)
      collection.remove(id, {})
      write(`moved-${id}`, key, fields)
    },
  }
}
