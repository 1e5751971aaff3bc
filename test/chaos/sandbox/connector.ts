/**
 * The connector to the sandbox provider: `sandbox`, options `{url, collection, account?, delta?, pageSize?, timeoutMs?}`.
 * Every request names the worker, the connection and the side, so that the provider's record does.
 */
import * as t from 'io-ts'
import type { Connector, OpenAsk, OptionMistake, Side, Wrote } from '#libs/connectors/connector.ts'
import { needsPerson, type SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { callerOf } from './call.ts'
import { fetchItems, findItems, readPages, type Habits } from './read.ts'
import { writeItem } from './write.ts'

const Options = t.intersection([
  t.type({ url: t.string, collection: t.string }),
  t.partial({
    /** Whose circuit breaker and rate budget it shares. Default: the collection. */
    account: t.string,
    /** false: it is listed whole every time. */
    delta: t.boolean,
    pageSize: t.number,
    timeoutMs: t.number,
  }),
])

const accountOf = (options: OpenAsk['options']): string | undefined => {
  const decoded = Options.decode(options)
  return E.isLeft(decoded) ? undefined : (decoded.right.account ?? decoded.right.collection)
}

/** `worker`: as it names itself in leases. */
export const sandboxConnector = (worker: string): Connector => ({
  provider: 'sandbox',
  validate: (options): ReadonlyArray<OptionMistake> => (E.isRight(Options.decode(options)) ? [] : [{ path: [], message: 'a sandbox side needs `url` and `collection`' }]),
  account: ({ options }) => accountOf(options),
  open: (ask) => () => Promise.resolve(opened(worker, ask)),
})

const opened = (worker: string, ask: OpenAsk): E.Either<SyncFailure, Side> => {
  const decoded = Options.decode(ask.options)
  if (E.isLeft(decoded)) return E.left(needsPerson('a sandbox side needs `url` and `collection`', 'give both'))
  const { url, collection, delta = true, pageSize = 100, timeoutMs } = decoded.right
  const items = `${url}/c/${encodeURIComponent(collection)}/items`
  const caller = callerOf({
    headers: { 'x-chaos-worker': worker, 'x-chaos-conn': ask.connection, 'x-chaos-side': ask.role === 'source' ? 'A' : 'B', 'content-type': 'application/json' },
    ...(ask.meter === undefined ? {} : { meter: ask.meter }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  const habits: Habits = { caller, items, delta, pageSize }
  return E.right({
    capabilities: { canWrite: true, delta, tombstones: delta, find: true, precondition: 'version', resumableListing: false, batchSize: 20 },
    identity: `sandbox:${collection}`,
    read: (read) => readPages(habits, read),
    fetch: (ids, signal) => fetchItems(habits, ids, signal),
    find: (keys, signal) => findItems(habits, keys, signal),
    // One after the other: "mutations of one user should be sequential" (SYNC.md §1.5).
    write: (writes, signal) => async () => {
      const wrote: Array<Wrote> = []
      let enough: SyncFailure | undefined
      for (const write of writes) {
        const answer: Wrote = enough !== undefined ? { is: 'failed', failure: enough } : await writeItem(caller, items, write, signal)
        // It asked for silence, or we are to end: the rest of the batch is not sent.
        if (answer.is === 'failed' && (answer.failure.is === 'later' || answer.failure.is === 'stopping')) enough = answer.failure
        wrote.push(answer)
      }
      return E.right(wrote)
    },
    close: () => Promise.resolve(),
  })
}
