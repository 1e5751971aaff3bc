/** Knows how the shared states of provider accounts are kept in KV `sync_providers`. */
import { decode, encode } from '#libs/contracts/decode.ts'
import { ProviderState } from '#libs/contracts/provider-state.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Kept, ProviderStore, StoreTrouble } from './shared-states.ts'

/** A call to a provider may be waiting for the answer. */
const timeoutMs = 2_000

export const natsProviders = (bus: Bus, log: Log): ProviderStore => {
  const bucket = openBucket(bus)(buckets.providers, { timeoutMs })
  const keptOf = ({ key, value, revision }: KvEntry): Kept => {
    if (value === null) return { state: null, revision }
    const decoded = decode(ProviderState, value)
    if (E.isRight(decoded)) return { state: decoded.right, revision }
    // Of another version, or by hand: without it we know less, and the next thing that happens replaces it
    log.warn('message.bad', { reason: `${buckets.providers} ${key}: ${decoded.left.report.join('; ')}` })
    return { state: null, revision }
  }
  return {
    read: (key) => pipe(bucket.get(key), TE.bimap(troubleOf, (entry) => (entry === undefined ? { state: null, revision: 0 } : keptOf(entry)))),
    write: (key, state, revision) =>
      pipe(state === null ? bucket.delete(key, { previousSeq: revision }) : bucket.update(key, encode(ProviderState, state), revision), TE.mapLeft(troubleOf)),
    follow: (onKept) => {
      const refused = Promise.withResolvers<void>()
      const watch = bucket.watch('>', (entry) => onKept(entry.key, keptOf(entry)), {
        onError: (failure) => {
          log.warn('nats.failed', { reason: `${buckets.providers} cannot be followed: ${describeNatsFailure(failure)}` })
          refused.resolve()
        },
      })
      return { ready: Promise.race([watch.ready, refused.promise]), stop: watch.stop }
    },
  }
}

const troubleOf = (failure: NatsFailure): StoreTrouble => {
  switch (failure.is) {
    case 'wrong-sequence':
    case 'write-in-flight':
    case 'timeout':
      return { is: 'refused' }
    case 'disconnected':
    case 'no-responders':
      return { is: 'away' }
    default:
      return { is: 'broken', message: describeNatsFailure(failure) }
  }
}
