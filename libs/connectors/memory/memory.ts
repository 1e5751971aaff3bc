/**
 * Knows the connector contract over a store in memory: the reference every other connector is compared with, and the
 * side of every engine test. Nasty habits are options, moments of mischief are switches of the store.
 */
import { E, TE } from '../../fp.ts'
import { bug, needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { Capabilities, Change, Connector, Side } from '../connector.ts'
import type { MemoryOptions } from './options.ts'
import { memoryLedger } from './ledger.ts'
import { memoryReader } from './reading.ts'
import { cancelled, itemOf, shown } from './showing.ts'
import type { MemoryStore } from './store.ts'
import { memoryWrite } from './writing.ts'

/**
 * Everything on and versions stable, unless the options say otherwise. Opening it again stands for the next run;
 * `flow` names the ledger when the side is transactional.
 */
export const memorySide = (store: MemoryStore, options: MemoryOptions = {}, flow = 'flow'): Side => ({
  capabilities: capabilitiesOf(store, options),
  identity: `memory:${store.name}`,
  read: (ask) => looking(store, ask.signal, () => memoryReader(store, options, ask)),
  fetch: (remoteIds, signal) => looking(store, signal, () => E.right(remoteIds.flatMap((remoteId): ReadonlyArray<Change> => {
    const stored = store.get(remoteId)
    return stored === undefined ? [] : [shown(store, stored, options)]
  }))),
  find: (keys, signal) => looking(store, signal, () => {
    if (options.find === false) return E.left(bug('find was asked of a side that does not declare it'))
    const found = [...new Set(keys)].flatMap((key) => store.byKey(key))
    return E.right(found.filter((stored) => stored.spoilt === undefined).map((stored) => itemOf(store, stored, options)))
  }),
  write: (writes, signal) => async () => {
    if (signal.aborted) return E.left(cancelled)
    if (options.readOnly === true || store.mischief.readOnly) return E.left(needsPerson(`${store.name} is read-only`, 'give it write access, or make the flow one-way'))
    return E.right(writes.map((write) => memoryWrite(store, options, write)))
  },
  ...(options.transactional === true ? { ledger: memoryLedger(store, options, flow) } : {}),
  close: async () => undefined,
})

/** A connector whose option `store` names one of these stores. */
export const memoryConnector = (stores: ReadonlyMap<string, { readonly store: MemoryStore; readonly options?: MemoryOptions }>): Connector => ({
  provider: 'memory',
  validate: ({ store }) => (typeof store === 'string' && stores.has(store) ? [] : [{ path: ['store'], message: 'names no store' }]),
  open: ({ options, connection, flow }) => async () => {
    const found = stores.get(String(options['store']))
    return found === undefined ? E.left(needsPerson('there is no such store', 'name one that exists')) : E.right(memorySide(found.store, found.options, `${connection}/${flow}`))
  },
})

const looking = <A>(store: MemoryStore, signal: AbortSignal, look: () => E.Either<SyncFailure, A>): TE.TaskEither<SyncFailure, A> => async () => {
  if (signal.aborted) return E.left(cancelled)
  if (store.mischief.failReads === 0) return look()
  store.mischief.failReads -= 1
  return E.left(store.mischief.failure ?? unavailable(`${store.name} does not answer`))
}

const capabilitiesOf = (store: MemoryStore, options: MemoryOptions): Capabilities => {
  const delta = options.delta ?? true
  return {
    canWrite: options.readOnly !== true && !store.mischief.readOnly,
    delta,
    tombstones: delta && (options.tombstones ?? true),
    find: options.find ?? true,
    precondition: options.transactional === true ? 'transactional' : options.versions === 'none' ? 'none' : 'version',
    resumableListing: options.resumableListing ?? true,
    batchSize: options.batchSize ?? 100,
  }
}
